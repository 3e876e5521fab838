"""Taking a case over and handing it over (C8); who leaves owns no open case silently, who cannot sign in none (D9)."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.enums import Move, Resolution, Severity, Status
from cases.guards import NotAllowed, Refused
from cases.mail.rendering import render
from cases.models import Case, CaseWatcher
from cases.workflow import handing_on, transitions
from cases.workflow.actions import HandOver
from cases.workflow.handing_on import give_on_cases
from contacts.directory import directory_problems
from contacts.enums import Level, Role
from contacts.models import OpeningSpan, Technician, User
from escalations.models import Question
from escalations.points.apply import escalate
from tests.cases.workflow.test_transitions import nothing_changes
from tests.contacts.test_directory_pages import filled_in, page
from tests.support.builders import NOON, Desk, build_centre, build_technician, build_user, reload
from tests.support.outbox import Outbox
from tests.support.pages import signed_in
from tests.support.workers import at_once

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOON + HOUR


def do(case: Case, slug: str) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, slug])


def fields_of(text: str, action: str) -> dict[str, str]:
    """What the hidden fields of the form with this address send."""
    form = re.findall(rf'<form[^>]*action="{action}".*?</form>', text, re.DOTALL)[0]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}


def button_of_page(client: Client, case: Case, slug: str) -> dict[str, str]:
    return fields_of(client.get(case.get_absolute_url(), {"do": slug}).content.decode(), do(case, slug))


def watching(case: Case) -> list[User]:
    return [watcher.user for watcher in CaseWatcher.objects.filter(case=case).order_by("pk")]


def leave(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.refresh_from_db()


# --- the cases of who leaves ------------------------------------------------------------------------------------


def test_making_an_owner_inactive_says_what_they_leave_behind(desk: Desk):  # D9
    for _ in range(3):
        desk.open_case()
    client, address = signed_in(desk.manager), page("user", desk.technician.pk, of="change")
    sent = filled_in(client.get(address))
    del sent["is_active"]
    answer = client.post(address, sent, follow=True).content.decode()
    assert "tech is inactive and still owns 3 open cases." in answer
    assert reverse("admin:contacts_user_give_on", args=[desk.technician.pk]) in answer
    assert any(problem.startswith("tech has left and still owns 3 open cases.") for problem in directory_problems())
    assert "tech has left and still owns 3 open cases." in client.get("/admin/").content.decode()


def test_open_cases_are_given_on_one_by_one_by_the_rules_of_a_new_one(desk: Desk):  # D9, C6
    others = [build_technician(desk.centre, name=name) for name in ("tina", "tom")]
    User.objects.filter(pk__in=[other.pk for other in others]).update(is_active=False)
    cases = [desk.open_case() for _ in range(4)]
    transitions.resolve(cases[3].pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    User.objects.filter(pk__in=[other.pk for other in others]).update(is_active=True)
    leave(desk.technician)
    posted = Outbox()
    given = give_on_cases(desk.technician, desk.manager, NOON, reason="Tech left us.")
    assert (given.given, given.left) == (3, {})
    owners = [str(reload(case).owner) for case in cases]
    assert sorted(owners[:3]) in (["tina", "tina", "tom"], ["tina", "tom", "tom"])
    assert owners[3] == "tech"
    assert posted.new() == {("cases_reassigned", name): 1 for name in owners[:3] if owners.count(name) > 1} | {
        ("reassigned", name): 1 for name in owners[:3] if owners.count(name) == 1
    }
    assert not CaseWatcher.objects.filter(user=desk.technician).exists()


def test_the_cases_of_an_l3_go_to_an_l3(desk: Desk):  # D9, E7
    case = desk.open_case()
    handing_on.hand_over(case.pk, desk.manager, NOON, owner=desk.l3, reason="Deep.")
    other = build_technician(desk.centre, Level.L3, "deep")
    leave(desk.l3)
    give_on_cases(desk.l3, desk.manager, NOON, reason="Left.")
    assert reload(case).owner == other


def test_open_cases_are_given_to_one_who_is_named_from_the_page_of_who_left(desk: Desk):  # D9
    case, other = desk.open_case(), build_technician(desk.centre, name="tina")
    leave(desk.technician)
    client, address = signed_in(desk.manager), reverse("admin:contacts_user_give_on", args=[desk.technician.pk])
    assert "1 open case" in client.get(page("user", desk.technician.pk, of="change")).content.decode()
    assert client.post(address, {"to": other.pk}).status_code == 422
    answer = client.post(address, {"to": other.pk, "reason": "Tech left us."}, follow=True)
    assert "1 open case of tech given on." in answer.content.decode()
    assert reload(case).owner == other


def test_cases_for_whom_there_is_nobody_stay_and_are_named(desk: Desk):  # D9
    case = desk.open_case()
    leave(desk.technician)
    given = give_on_cases(desk.technician, desk.manager, NOON, reason="Left.")
    assert (given.given, given.left) == (0, {case.number: "there is nobody to give it to"})
    assert given.why_left == f"{case.number} (there is nobody to give it to)"
    assert reload(case).owner == desk.technician


def test_only_who_reassigns_gives_cases_on(desk: Desk):  # A1
    address = reverse("admin:contacts_user_give_on", args=[desk.technician.pk])
    assert signed_in(desk.l3).post(address, {"reason": "x"}).status_code == 403
    with pytest.raises(NotAllowed):
        give_on_cases(desk.technician, desk.l3, NOON, reason="x")
    with pytest.raises(Refused, match="Say why"):
        give_on_cases(desk.technician, desk.manager, NOON, reason=" ")


# --- taking over and handing over (C8) --------------------------------------------------------------------------


def test_a_technician_takes_a_case_over_in_one_step_without_a_word(desk: Desk):  # C8, E7
    case, posted = desk.open_case(), Outbox()
    handing_on.take_over(case.pk, desk.l3, LATER)
    row = reload(case).history.first()
    assert (reload(case).owner, row.owner, row.history_user) == (desk.l3, desk.l3, desk.l3)
    assert (row.last_move, row.history_change_reason, row.history_date) == (Move.TAKEN_OVER, "tech to l3", LATER)
    assert watching(case) == [desk.technician]
    (mail,) = posted.rows()
    assert (mail.template, mail.to_address) == ("owner_changed", "tech@example.com")
    assert mail.facts["why"] == "you owned this case until l3 took it over"
    assert mail.facts["expected"] == "Tell l3 what is not written in the case."
    text = render(mail).text
    assert "“Nobody can print” of Acme belongs to l3 now." in text
    assert "The reason" not in text


def test_a_technician_hands_their_case_over_with_or_without_a_word(desk: Desk):  # C8, E7
    case, posted = desk.open_case(), Outbox()
    handing_on.hand_over(case.pk, desk.technician, LATER, owner=desk.l3, reason="Deep.")
    row = reload(case).history.first()
    assert (reload(case).owner, row.last_move, row.history_user) == (desk.l3, Move.REASSIGNED, desk.technician)
    assert row.history_change_reason == "tech to l3: Deep."
    assert posted.letters() == [("reassigned", "l3@example.com")]
    assert "The reason: Deep." in render(posted.rows()[0]).text
    assert watching(case) == [desk.technician]
    assert case in Case.objects.watched_by(desk.technician)
    transitions.stop_watching(case.pk, desk.technician)
    assert case not in Case.objects.watched_by(desk.technician)
    handing_on.hand_over(case.pk, desk.l3, LATER + HOUR, owner=desk.technician)
    assert posted.letters() == [("reassigned", "tech@example.com")]
    assert reload(case).history.first().history_change_reason == "l3 to tech"


def test_a_case_of_somebody_else_is_handed_over_by_the_manager_and_its_owner_is_told(desk: Desk):  # C8, A1
    case, other, posted = desk.open_case(), build_technician(desk.centre, name="tech2"), Outbox()
    with nothing_changes(), pytest.raises(NotAllowed, match=f"{case.number} is tech's: take it over before you hand"):
        handing_on.hand_over(case.pk, desk.l3, LATER, owner=other)
    for actor in (desk.account_manager, desk.customer_engineer, desk.csm):
        for move in (handing_on.take_over, lambda *of: handing_on.hand_over(*of, owner=other)):
            with nothing_changes(), pytest.raises(NotAllowed, match="that is for technicians and support managers"):
                move(case.pk, actor, LATER)
    handing_on.hand_over(case.pk, desk.manager, LATER, owner=other, reason="On leave.")
    assert posted.letters() == [("reassigned", "tech2@example.com"), ("owner_changed", "tech@example.com")]
    assert posted.rows()[1].facts["why"] == "you owned this case until support_manager gave it to tech2"


def test_who_owns_a_case_again_no_longer_watches_it(desk: Desk):  # E7
    case = desk.open_case()
    handing_on.take_over(case.pk, desk.l3, LATER)
    handing_on.take_over(case.pk, desk.technician, LATER + HOUR)
    assert watching(case) == [desk.l3]


def test_a_case_goes_only_to_an_active_technician_other_than_its_owner(desk: Desk):  # S4, C8, D9
    case, gone = desk.open_case(), build_technician(desk.centre, name="gone")
    leave(gone)
    for owner, actor, complaint in (
        (gone, desk.manager, "gone is no active technician who can sign in; choose one who is."),
        (desk.csm, desk.manager, "csm is no active technician who can sign in; choose one who is."),
        (desk.technician, desk.manager, f"{case.number} belongs to tech already; choose somebody else."),
        (desk.technician, desk.technician, f"{case.number} belongs to you already; choose somebody else."),
    ):
        with nothing_changes(), pytest.raises(Refused) as refused:
            handing_on.hand_over(case.pk, actor, LATER, owner=owner)
        assert (refused.value.sentence, refused.value.field) == (complaint, "owner")
    with nothing_changes(), pytest.raises(Refused, match="is yours already"):
        handing_on.take_over(case.pk, desk.technician, LATER)
    transitions.resolve(case.pk, desk.technician, LATER, resolution=Resolution.NOT_PURSUED)
    with nothing_changes(), pytest.raises(Refused, match="is resolved; reopen it"):
        handing_on.hand_over(case.pk, desk.manager, LATER, owner=desk.l3)
    with nothing_changes(), pytest.raises(Refused, match="is resolved; reopen it"):
        handing_on.take_over(case.pk, desk.l3, LATER)


def test_an_open_question_goes_to_whoever_takes_the_case_over(desk: Desk):  # C8, E8
    case = desk.open_case(severity=Severity.HIGH)
    escalate(NOON + 12 * HOUR)
    handing_on.take_over(case.pk, desk.l3, NOON + 12.5 * HOUR)
    posted = Outbox()
    escalate(NOON + 12.6 * HOUR)
    assert posted.letters() == [("question_inherited", "l3@example.com")]
    assert Question.objects.get(case=case).asked == desk.l3


def test_of_two_who_take_a_case_over_the_second_sees_who_has_it(desk: Desk):  # C8
    case = desk.open_case(now=timezone.now())
    others = [build_technician(desk.centre, name=name) for name in ("tina", "tom")]
    clients = [signed_in(other) for other in others]
    sent = [button_of_page(client, case, "take_over") for client in clients]
    assert clients[0].post(do(case, "take_over"), sent[0]).status_code == 302
    second = clients[1].post(do(case, "take_over"), sent[1])
    assert second.status_code == 409
    assert f"{case.number} belongs to tina meanwhile: taken over by tina on" in second.content.decode()
    assert reload(case).owner == others[0]
    again = fields_of(second.content.decode(), do(case, "take_over"))
    assert clients[1].post(do(case, "take_over"), again).status_code == 302
    assert reload(case).owner == others[1]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_take_a_case_over_at_the_same_instant_are_told_apart(desk: Desk):  # C8
    case, answers = desk.open_case(now=timezone.now()), []
    others = [build_technician(desk.centre, name=name) for name in ("tina", "tom")]
    clients = [signed_in(other) for other in others]
    sent = [button_of_page(client, case, "take_over") for client in clients]

    def press(which: int) -> None:
        answers.append(clients[which].post(do(case, "take_over"), sent[which]).status_code)

    at_once(lambda: press(0), lambda: press(1))
    assert sorted(answers) == [302, 409]
    assert reload(case).history.filter(last_move=Move.TAKEN_OVER).count() == 1


@pytest.mark.parametrize(
    ("whose", "owner", "told"),
    [("take", "l3", [("owner_changed", "tech@example.com")]), ("help", "tech", [])],
)
def test_who_starts_work_on_a_colleagues_case_says_which_is_meant(desk: Desk, whose: str, owner: str, told):  # C8
    case, posted = desk.open_case(now=timezone.now()), Outbox()
    client = signed_in(desk.l3)
    asked = client.get(case.get_absolute_url(), {"do": "start_work"}).content.decode()
    assert "It is tech&#x27;s" in asked
    assert 'value="take"' in asked
    assert not re.search(r'value="(take|help)"[^>]*\schecked[\s>=]', asked)
    sent = button_of_page(client, case, "start_work")
    answer = client.post(do(case, "start_work"), sent)
    assert answer.status_code == 422
    assert "Say which is meant: do you take the case over, or only help?" in answer.content.decode()
    assert reload(case).status == Status.ASSIGNED
    assert client.post(do(case, "start_work"), sent | {"whose": whose}).status_code == 302
    assert (reload(case).status, str(reload(case).owner)) == (Status.IN_PROGRESS, owner)
    assert posted.letters() == told


def test_the_owner_is_not_asked_which_is_meant(desk: Desk):  # C8
    case = desk.open_case()
    asked = signed_in(desk.technician).get(case.get_absolute_url(), {"do": "start_work"}).content.decode()
    assert 'name="whose"' not in asked
    assert signed_in(desk.technician).post(do(case, "start_work")).status_code == 302


def test_who_takes_over_while_starting_work_takes_it_from_whom_the_page_showed(desk: Desk):  # C8
    case, other = desk.open_case(now=timezone.now()), build_technician(desk.centre, name="tina")
    sent = button_of_page(signed_in(desk.l3), case, "start_work") | {"whose": "take"}
    handing_on.hand_over(case.pk, desk.technician, timezone.now(), owner=other)
    answer = signed_in(desk.l3).post(do(case, "start_work"), sent)
    assert answer.status_code == 409
    assert f"{case.number} belongs to tina meanwhile: handed over by tech on" in answer.content.decode()
    assert (reload(case).status, reload(case).owner) == (Status.ASSIGNED, other)


def test_the_list_of_colleagues_says_who_is_there_and_with_which_load(desk: Desk):  # C8
    tokyo = build_centre("Tokyo", "JP", "Asia/Tokyo")
    OpeningSpan.objects.filter(centre=tokyo).update(opens=time(9), closes=time(10))
    away = build_technician(desk.centre, name="away", on_duty=False)
    night = build_technician(tokyo, name="night")
    loaded, speaker = (build_technician(desk.centre, name=name) for name in ("loaded", "speaker"))
    Technician.objects.filter(user=speaker).update(languages=["en", "ja"])
    for severity, owner in ((Severity.CRITICAL, loaded), (Severity.HIGH, speaker)):
        Case.objects.filter(pk=desk.open_case(severity=severity).pk).update(owner=owner)
    case = desk.open_case()
    Case.objects.filter(pk=case.pk).update(owner=desk.technician)
    button = HandOver(Case.objects.get(pk=case.pk), desk.technician, NOON)
    assert list(button.fields["owner"].choices) == [
        ("", "Choose a technician"),
        (
            "On duty, in their business day",
            [
                (desk.l3.pk, "l3 (L3, London 13:00, English, load 0)"),
                (speaker.pk, "speaker (L2, London 13:00, English and Japanese, load 4)"),
                (loaded.pk, "loaded (L2, London 13:00, English, load 8)"),
            ],
        ),
        ("On duty, outside their day", [(night.pk, "night (L2, Tokyo 21:00, English, load 0)")]),
        ("Away", [(away.pk, "away (L2, London 13:00, English, load 0)")]),
    ]


def test_the_buttons_stand_where_they_can_be_pressed(desk: Desk):  # C8, A2
    case = desk.open_case()

    def offered(who: User) -> set[str]:
        text = signed_in(who).get(case.get_absolute_url()).content.decode()
        return {
            slug for slug in ("take_over", "hand_over") if f"/do/{slug}/" in text or f'data-desk-form="{slug}"' in text
        }

    assert offered(desk.technician) == {"hand_over"}
    assert offered(desk.l3) == {"take_over"}
    assert offered(desk.manager) == {"take_over", "hand_over"}
    assert offered(desk.account_manager) == set()
    transitions.resolve(case.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    assert offered(desk.manager) == set()


# --- who cannot sign in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lacks", ["password", "no_password", "is_staff", "is_active"])
def test_no_case_goes_to_who_cannot_sign_in(desk: Desk, lacks: str):  # D9
    user = desk.technician
    if lacks == "password":
        user.set_unusable_password()
    elif lacks == "no_password":
        user.password = ""
    else:
        setattr(user, lacks, False)
    user.save()
    assert not user.can_sign_in
    assert user not in User.objects.able_to_sign_in()
    case = desk.open_case(actor=desk.l3)
    assert case.owner == desk.manager  # the only L2 is off duty
    with pytest.raises(Refused, match="no active technician who can sign in"):
        handing_on.hand_over(case.pk, desk.manager, NOON, owner=user, reason="x")
    said = " ".join(directory_problems())
    assert ("Technicians who cannot sign in: tech." in said) == (lacks != "is_active")


def test_who_has_a_company_account_and_no_password_can_sign_in(desk: Desk, settings: Any) -> None:  # D9, A3
    settings.OIDC_URL = "https://accounts.example.com"
    for password in ("", "!unusable"):
        User.objects.filter(pk=desk.technician.pk).update(password=password, email="tech@example.com")
        user = User.objects.get(pk=desk.technician.pk)
        assert user.can_sign_in
        assert user in User.objects.able_to_sign_in()
        user.email = ""  # by which they would be known
        user.save()
        assert not user.can_sign_in
        assert user not in User.objects.able_to_sign_in()


# --- a technician is one record to whoever creates them ---------------------------------------------------------


def test_a_technician_is_created_in_one_form(desk: Desk):  # D9
    client = signed_in(desk.manager)
    sent = filled_in(client.get(page("user", of="add"))) | {
        "username": "nina",
        "email": "nina@example.com",
        "role": Role.TECHNICIAN.value,
        "technician-0-level": "L3",
        "technician-0-centre": desk.centre.pk,
        "technician-0-languages": ["en", "ja"],
        "technician-0-on_duty": "on",
    }
    assert client.post(page("user", of="add"), sent).status_code == 302
    nina = Technician.objects.get(user__username="nina")
    assert (nina.level, nina.centre, nina.languages, nina.on_duty) == ("L3", desk.centre, ["en", "ja"], True)
    assert nina.history.get().history_user == desk.manager


def test_a_technician_of_whom_too_little_is_known_is_a_problem_that_is_shown(desk: Desk):  # D9
    before = directory_problems()
    nina = build_user(Role.TECHNICIAN, "nina")
    new = [problem for problem in directory_problems() if problem not in before]
    assert new == [
        "Technicians of whom level, centre and languages are not known: nina. "
        "No case goes to them; fill it in on their page under Staff."
    ]
    Technician.objects.create(user=nina, centre=desk.centre)
    assert "Technicians of whom no language is known: nina." in " ".join(directory_problems())
    Technician.objects.filter(user=nina).update(languages=["en"])
    assert directory_problems() == before
    assert new[0] not in signed_in(desk.manager).get(page("roleholder")).content.decode()


def test_nobody_who_left_is_suggested_for_a_role_but_their_cases_are_found(desk: Desk):  # D9
    leave(desk.coo)
    client = signed_in(desk.manager)

    def suggested(app: str, model: str, field: str) -> list[str]:
        asked = {"app_label": app, "model_name": model, "field_name": field, "term": "coo"}
        return [row["text"] for row in client.get("/admin/autocomplete/", asked).json()["results"]]

    assert suggested("contacts", "roleholder", "holder") == []
    assert suggested("cases", "case", "owner") == ["coo"]
