"""Follow or mute a case: who is told of what afterwards, and what the ledger says (T5, T2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases.enums import Channel, Direction, Severity
from cases.guards import NotAllowed, Refused
from cases.models import Case, CaseWatcher, Mail
from cases.workflow.contact_log import log_contact
from contacts.changes import directory_changed
from contacts.models import User
from escalations.accounts.apply import follow, mute, unmute
from escalations.enums import Member, Origin
from escalations.models import EscalationRequest
from escalations.questions.updates import send_status_update
from escalations.requests.apply import decline, request_escalation
from tests.support.builders import NOON, Desk, build_user, reload
from tests.support.pages import panel_of, signed_in
from tests.support.stage import Stage, at

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def to_manager(stage: Stage) -> list[str]:
    """What the account manager was told, with its hour."""
    return [line for line in stage.told if " am: " in line]


def test_whoever_follows_a_case_gets_what_its_customer_gets(desk: Desk) -> None:  # T5, E7
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    follow(case.pk, desk.customer_engineer, NOON)
    stage.to(4)
    told = [line for line in stage.told if " engineer: " in line]
    assert told == ["3:55 engineer: update"]
    (mail,) = Mail.objects.filter(to_address="engineer@example.com", template="staff_lines")
    assert mail.facts["why"] == "you watch this case"
    assert Case.history.filter(id=case.pk).count() == 1  # following is no change of the case


@pytest.mark.slow
def test_an_account_manager_who_mutes_a_case_gets_no_updates_of_it_but_what_is_escalated(desk: Desk) -> None:  # T5, E1
    loud = Stage(desk)
    case = loud.open(Severity.CRITICAL)
    loud.to(4)
    assert "escalation" in " ".join(to_manager(loud))
    loud.told.clear()
    mute(case.pk, desk.account_manager, at(4.5))
    before = loud.ledger(case)
    loud.to(12)
    assert to_manager(loud) == []
    loud.to(24)  # Critical 3 informs the COO, and not the account manager
    assert to_manager(loud) == []
    own = [line for line in loud.ledger(case) if line.startswith("account_manager")]
    assert own == ["account_manager 4:00-6:00 released 4:30"]
    assert before != loud.ledger(case)
    assert reload(case).is_muted_by(desk.account_manager)


def test_what_a_mute_ended_begins_anew_when_updates_are_wanted_again(desk: Desk) -> None:  # T2, T4, T5
    stage = Stage(desk)
    case = stage.open(Severity.CRITICAL)
    stage.to(4)
    mute(case.pk, desk.account_manager, at(4.5))
    stage.to(10)
    stage.told.clear()
    unmute(case.pk, desk.account_manager, at(10))
    stage.to(11.95)
    assert to_manager(stage) == ["11:55 am: update"]
    own = [line for line in stage.ledger(case) if line.startswith("account_manager")]
    assert own[0] == "account_manager 4:00-6:00 released 4:30"
    assert own[1].startswith("account_manager 10:00-12:00 system 11:55")
    assert not any("missed" in line for line in own)


def test_turning_points_and_words_of_colleagues_do_not_reach_who_mutes(desk: Desk) -> None:  # T5, E8
    stage = Stage(desk)
    case = stage.open(Severity.CRITICAL)
    stage.to(4)
    mute(case.pk, desk.account_manager, at(4.2))
    stage.told.clear()
    stage.do(4.5, lambda now: send_status_update(
        case.pk, desk.technician, now, text="A part is on its way.", members=[Member.CSM], answers_question=False,
    ))  # fmt: skip
    stage.do(5, stage.resolves(case)).look(at(5))
    assert not any(" am:" in line for line in stage.told)
    assert not any(mail.to_address == "am@example.com" and mail.queued_at > at(4.2) for mail in Mail.objects.all())


def test_what_is_asked_for_by_the_customer_reaches_who_mutes(desk: Desk) -> None:  # T5, E9
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    mute(case.pk, desk.account_manager, NOON)
    request_escalation(
        case.pk, desk.technician, at(1), origin=Origin.CUSTOMER, asked_by="Kim", impact="All stand.", reason="Now."
    )
    decline(EscalationRequest.objects.get(), desk.manager, at(1.5), why="Soon.")
    templates = {mail.template for mail in Mail.objects.all() if mail.to_address == "am@example.com"}
    assert "escalation_request_outcome" in templates


def test_a_mute_of_a_customer_engineer_moves_no_clock(desk: Desk) -> None:  # T5
    stage = Stage(desk)
    case = stage.open(Severity.CRITICAL)
    mute(case.pk, desk.customer_engineer, NOON)
    stage.to(4)
    stage.told.clear()
    stage.to(6)
    assert to_manager(stage) == ["5:55 am: update"]


def test_one_follows_or_mutes_and_each_is_undone_by_one_click(desk: Desk) -> None:  # T5, S4
    case = desk.open_case()
    manager = desk.account_manager
    follow(case.pk, manager, NOON)
    follow(case.pk, manager, NOON)  # a second click
    assert CaseWatcher.objects.count() == 1
    with pytest.raises(Refused, match="stop watching it before you mute it"):
        mute(case.pk, manager, NOON)
    CaseWatcher.objects.all().delete()
    mute(case.pk, manager, NOON)
    with pytest.raises(Refused, match="unmute it before you follow it"):
        follow(case.pk, manager, NOON)
    with pytest.raises(Refused, match="already"):
        mute(case.pk, manager, NOON)
    unmute(case.pk, manager, at(1))
    assert not reload(case).is_muted_by(manager)
    with pytest.raises(Refused, match="do not mute"):
        unmute(case.pk, manager, at(2))


def test_a_foreign_case_is_neither_followed_nor_muted(desk: Desk) -> None:  # A1
    case = desk.open_case()
    for move in (follow, mute, unmute):
        with pytest.raises(Case.DoesNotExist):
            move(case.pk, desk.other_account_manager, NOON)
        with pytest.raises(NotAllowed):
            move(case.pk, desk.technician, NOON)


def test_the_next_account_manager_has_muted_nothing(desk: Desk) -> None:  # T5, E3
    stage = Stage(desk)
    case = stage.open(Severity.CRITICAL)
    stage.to(4)
    mute(case.pk, desk.account_manager, at(4.5))
    desk.company.account_manager = desk.other_account_manager
    desk.company.save()
    directory_changed([desk.company], at(5))
    assert [row["until"] for row in reload(case).mutes] == [at(5).isoformat()]
    stage.told.clear()
    stage.to(7)
    assert [line for line in stage.told if " other-am: " in line] == ["6:55 other-am: update"]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("account_manager", ["Follow", "Mute"]),
        ("customer_engineer", ["Follow", "Mute"]),
        ("technician", []),
        ("manager", []),
        ("csm", []),
    ],
)
def test_the_head_of_a_case_offers_what_its_reader_can_do(desk: Desk, who: str, expected: list[str]) -> None:  # T5
    case, client = desk.open_case(), signed_in(getattr(desk, who))
    page = client.get(case.get_absolute_url()).content.decode()
    assert [
        label for label in ("Follow", "Mute", "Unmute", "Stop watching") if f">{label}</button>" in page
    ] == expected


def test_colleagues_see_that_the_account_manager_mutes_a_case(desk: Desk) -> None:  # T5
    case, client = desk.open_case(), signed_in(desk.technician)
    assert "mutes this case" not in panel_of(client, case, "people")
    mute(case.pk, desk.account_manager, NOON)
    assert "mutes this case" in panel_of(client, case, "people")


def test_a_click_in_the_head_changes_what_it_offers(desk: Desk) -> None:  # T5
    case, client = desk.open_case(), signed_in(desk.account_manager)

    def press(slug: str) -> str:
        address = case.get_absolute_url().replace("change/", f"do/{slug}/")
        answer = client.post(address, follow=True)
        assert answer.status_code == 200
        return str(answer.content.decode())

    page = press("mute_case")
    assert "is muted: you get no updates about it" in page
    assert ">Unmute</button>" in page
    assert ">Follow</button>" not in page
    page = press("unmute_case")
    assert ">Mute</button>" in page
    page = press("follow_case")
    assert ">Stop watching</button>" in page
    assert ">Mute</button>" not in page


def test_a_customer_engineer_may_add_a_note_on_a_case_of_theirs(desk: Desk) -> None:  # A1, C3
    case = desk.open_case()
    row = log_contact(
        case.pk, desk.customer_engineer, NOON, channel=Channel.NOTE, direction=Direction.INTERNAL, body="Old firmware."
    )
    assert (row.by, row.for_customer) == (desk.customer_engineer, False)
    other: User = build_user("customer_engineer", "elsewhere")
    with pytest.raises(Case.DoesNotExist):
        log_contact(case.pk, other, NOON, channel=Channel.NOTE, direction=Direction.INTERNAL, body="Mine?")
