"""Contacts that are logged later than they were, and with whom they were: what every reader of the log makes of them
(C3, C7, F3, F4, F6).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.enums import AgreedBy, CallOutcome, Channel, Direction, FollowUpStep, Resolution, Status, WaitReason
from cases.followup.apply import follow_up
from cases.forms import A_MOMENT, NO_SUCH_TIME, MomentField
from cases.guards import Refused
from cases.mail.outbox import deliver
from cases.mail.phrases import in_english
from cases.models import Case, FollowUp, Interaction, Mail
from cases.models.contact_log import TELLS_CUSTOMER
from cases.timeline import timeline_of
from cases.workflow import contact_log, transitions
from contacts.models import Contact
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PHONE, CHAT, EMAIL = Channel.PHONE, Channel.CHAT, Channel.EMAIL
IN, OUT = Direction.IN, Direction.OUT
BERLIN = ZoneInfo("Europe/Berlin")


def log(desk: Desk, case: Case, logged: datetime, was: datetime | None = None, **said: Any) -> Interaction:
    """Log a contact; a call of ours that reached them unless told otherwise."""
    said = {"channel": PHONE, "direction": OUT, "body": "They said it.", **said}
    return contact_log.log_contact(case.pk, desk.technician, logged, at=was, **said)


def ask(desk: Desk, case: Case, now: datetime, reason: WaitReason = WaitReason.INFORMATION) -> Case:
    return transitions.ask_customer(
        case.pk, desk.technician, now, question="Which floor?", reason=reason, send=False, channel=PHONE
    )


def colleague(desk: Desk, **fields: Any) -> Contact:
    """Somebody else of the company's help desk."""
    fields = {"name": "Yuki Tanaka", "email": "yuki@acme.example.com", "is_help_desk": True, **fields}
    return Contact.objects.create(company=desk.company, **fields)


# --- when it may have been (C3) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "refused"),
    [
        (NOON + HOUR, ""),  # as it was logged
        (NOON, ""),  # as the case was opened
        (NOON + HOUR + timedelta(seconds=1), "This is in the future"),
        (NOON - timedelta(seconds=1), "was opened on Wed 3 Jun, 12:00; write what was said before into a note."),
    ],
)
def test_a_contact_was_between_the_opening_and_now(desk: Desk, was: datetime, refused: str) -> None:  # C3
    case = desk.open_case(NOON)
    if not refused:
        row = log(desk, case, NOON + HOUR, was)
        assert (row.at, row.logged_at, row.is_logged_later) == (was, NOON + HOUR, was == NOON)
        late = ["Logged on Wed 3 Jun, 13:00."] if was == NOON else []
        assert [entry.lines for entry in timeline_of(reload(case)).entries if entry.interaction == row] == [late]
        return
    with pytest.raises(Refused, match=refused) as caught:
        log(desk, case, NOON + HOUR, was)
    assert caught.value.field == "at"
    assert Interaction.objects.filter(case=case, opened_the_case=False).count() == 0


def test_a_contact_is_logged_within_a_week(desk: Desk) -> None:  # C3
    case = desk.open_case(NOON)
    now = NOON + 8 * DAY
    assert log(desk, case, now, now - 7 * DAY).at == now - 7 * DAY
    with pytest.raises(Refused, match="within 7 days; write down in a note what was said on Thu 4 June") as caught:
        log(desk, case, now, now - 7 * DAY - timedelta(seconds=1))
    assert caught.value.field == "at"


def test_what_does_not_say_when_was_logged_as_it_was(desk: Desk) -> None:  # C3
    case = desk.open_case(NOON)
    opening = Interaction.objects.get(case=case)
    assert (opening.at, opening.logged_at, opening.is_logged_later) == (NOON, NOON, False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Interaction.objects.filter(pk=opening.pk).update(at=NOON + HOUR)


# --- with whom (C3) ---------------------------------------------------------------------------------------------


def test_a_word_with_another_of_the_help_desk_is_one_with_the_customer(desk: Desk) -> None:  # C3, F3
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    row = log(desk, case, NOON + 2 * HOUR, contact=colleague(desk))
    assert (row.contact.name, row.with_customer, row.title) == ("Yuki Tanaka", True, "Phone to the customer")
    assert row.is_response
    assert reload(case).status == Status.IN_PROGRESS


@pytest.mark.parametrize("direction", [IN, OUT])
def test_a_word_with_anybody_else_of_the_company_is_logged_and_counts_for_nothing(  # C3, T2, F3, F6
    desk: Desk, direction: Direction
) -> None:
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    row = log(desk, case, NOON + DAY, contact=desk.end_user, direction=direction)
    assert (row.with_customer, row.is_response, row.tells_customer) == (False, False, False)
    assert not Interaction.objects.filter(TELLS_CUSTOMER, pk=row.pk).exists()
    assert row.title == f"Phone {'from' if direction == IN else 'to'} the company, not the help desk"
    assert reload(case).status == Status.WAITING
    assert not FollowUp.objects.filter(case=case).exists()
    assert row.why_no_attempt == (f"{desk.end_user.name} does not belong to the help desk" if direction == OUT else "")


def test_the_contact_of_the_case_counts_whoever_they_are(desk: Desk) -> None:  # C3, D3
    case = ask(desk, desk.open_case(NOON, contact=desk.end_user, opened_despite="Their desk is down."), NOON + HOUR)
    assert log(desk, case, NOON + 2 * HOUR).is_response
    assert reload(case).status == Status.IN_PROGRESS


def test_who_counted_counts_when_they_change_their_job(desk: Desk) -> None:  # C3, T4
    case, yuki = desk.open_case(NOON), colleague(desk)
    row = log(desk, case, NOON + HOUR, contact=yuki)
    Contact.objects.filter(pk=yuki.pk).update(is_help_desk=False)
    assert Interaction.objects.get(pk=row.pk).tells_customer


def test_nobody_of_another_company_and_nobody_who_left_is_spoken_to(desk: Desk) -> None:  # C3, D9
    case = desk.open_case(NOON)
    with pytest.raises(Refused, match="does not work for Acme") as foreign:
        log(desk, case, NOON + HOUR, contact=desk.other_company.contacts.first())
    with pytest.raises(Refused, match="Yuki Tanaka has left Acme") as left:
        log(desk, case, NOON + HOUR, contact=colleague(desk, active=False))
    assert foreign.value.field == left.value.field == "contact"


# --- the end of a wait (F6) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "ends"),
    [
        (NOON + 30 * MINUTE, False),  # before the question
        (NOON + HOUR - timedelta(microseconds=1), False),
        (NOON + HOUR, True),  # with it
        (NOON + 2 * HOUR, True),
        (None, True),
    ],
)
@pytest.mark.parametrize("direction", [IN, OUT])
def test_only_what_was_said_after_the_question_ends_the_wait(  # F6, C4
    desk: Desk, was: datetime | None, ends: bool, direction: Direction
) -> None:
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    log(desk, case, NOON + 3 * HOUR, was, direction=direction)
    case = reload(case)
    assert case.status == (Status.IN_PROGRESS if ends else Status.WAITING)
    # The status changes as it is logged: the history never tells of a past that nobody knew (C5).
    assert case.changed_at == (NOON + 3 * HOUR if ends else NOON + HOUR)


def test_a_response_is_refused_that_was_before_the_question(desk: Desk) -> None:  # F6
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    with pytest.raises(Refused, match="The customer was asked on Wed 3 Jun, 13:00; what they said before") as early:
        contact_log.customer_responded(
            case.pk, desk.technician, NOON + 2 * HOUR, channel=PHONE, body="Third.", at=NOON + MINUTE
        )
    with pytest.raises(Refused, match="does not belong to the help desk of Acme") as other:
        contact_log.customer_responded(
            case.pk, desk.technician, NOON + 2 * HOUR, channel=PHONE, body="Third.", contact=desk.end_user
        )
    assert (early.value.field, other.value.field) == ("at", "contact")
    assert reload(case).status == Status.WAITING


def test_a_confirmation_was_when_it_was_and_the_case_closes_now(desk: Desk) -> None:  # C4
    case = ask(desk, desk.open_case(NOON), NOON + HOUR, WaitReason.CONFIRM)
    contact_log.customer_responded(
        case.pk,
        desk.technician,
        NOON + 3 * HOUR,
        channel=PHONE,
        body="It prints.",
        confirms=True,
        solution="Toner.",
        at=NOON + 2 * HOUR,
        contact=colleague(desk),
    )
    word = Interaction.objects.filter(case=case).last()
    assert word is not None
    assert (word.at, word.contact.name) == (NOON + 2 * HOUR, "Yuki Tanaka")
    assert reload(case).resolved_at == NOON + 3 * HOUR


# --- three contacts (F3, F4) ------------------------------------------------------------------------------------


def there(stamp: str) -> datetime:
    """“8 June 10:00” on the customer's clock, in UTC."""
    return datetime.strptime(f"2026 {stamp}", "%Y %d %B %H:%M").replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("was", "logged", "counts", "why"),
    [
        # Asked on Wed 3 June, 14:00 there; the desk writes itself on Thu 4 June at 10:00.
        ("4 June 09:00", "4 June 09:50", "attempt-1", ""),  # before the desk's own mail, which is not written then
        ("4 June 09:00", "4 June 11:00", None, "Thu 4 June was an attempt"),  # the desk has written meanwhile
        ("3 June 15:00", "4 June 09:30", None, "the first attempt is on the next business day after we asked"),
        ("3 June 13:30", "4 June 09:30", None, "the first attempt is on the next business day after we asked"),
        ("6 June 09:00", "8 June 09:30", None, "Sat 6 June is no business day there"),
        ("5 June 17:00", "8 June 09:30", None, "Thu 4 June was an attempt"),  # consecutive, though logged on Monday
        ("8 June 09:00", "8 June 09:30", "attempt-2", ""),
    ],
)
def test_an_attempt_counts_on_the_day_on_which_it_was(  # F3
    desk: Desk, was: str, logged: str, counts: str | None, why: str
) -> None:
    case = ask(desk, desk.open_case(NOON - HOUR), NOON)
    now = there("3 June 14:00")
    while now < there(logged):
        follow_up(now)
        deliver(lambda now=now: now)
        now += 30 * MINUTE
    row = log(desk, case, there(logged), there(was), outcome=CallOutcome.LEFT_MESSAGE)
    attempt = FollowUp.objects.filter(interaction=row).first()
    assert (attempt.step if attempt else None) == counts
    assert why in row.why_no_attempt
    assert bool(row.why_no_attempt) is (counts is None)
    if attempt:
        assert attempt.done_at == there(was)


def test_the_closing_counts_from_the_mail_that_announced_it(desk: Desk) -> None:  # F4
    case = ask(desk, desk.open_case(NOON - HOUR), NOON)
    for was in ("4 June 09:00", "8 June 09:00"):
        log(desk, case, there(was), outcome=CallOutcome.LEFT_MESSAGE)
    logged = there("10 June 16:00")  # called at nine, written down at four
    log(desk, case, logged, there("10 June 09:00"), outcome=CallOutcome.LEFT_MESSAGE)
    follow_up(logged)
    deliver(lambda: logged)
    announced = FollowUp.objects.get(case=case, step=FollowUpStep.ANNOUNCED)
    assert (announced.done_at, announced.mail.sent_at) == (logged, logged)
    assert announced.closes_at >= logged + DAY
    follow_up(announced.closes_at - MINUTE)
    assert reload(case).status == Status.WAITING
    follow_up(announced.closes_at)
    assert reload(case).status == Status.RESOLVED


# --- words after the closing (C7) -------------------------------------------------------------------------------


def resolve(desk: Desk, case: Case, now: datetime, resolution: Resolution) -> None:
    """Resolve it; for no response as the plan does, with the wait over."""
    if resolution == Resolution.NO_RESPONSE:
        transitions.close(reload(case), None, now, resolution)
        return
    transitions.resolve(
        case.pk, desk.technician, now, resolution=resolution, agreed_by=AgreedBy.PHONE, solution="A new toner."
    )


@pytest.mark.parametrize(
    ("resolution", "was", "status", "flagged"),
    [
        # Opened at 12, asked at 13, closed at 14, logged at 16.
        (Resolution.CONFIRMED, 15, Status.RESOLVED, True),
        (Resolution.CONFIRMED, 14, Status.RESOLVED, True),
        (Resolution.CONFIRMED, 13.5, Status.RESOLVED, False),  # before the closing: no word on it
        (Resolution.NO_RESPONSE, 15, Status.IN_PROGRESS, False),
        (Resolution.NO_RESPONSE, 13.5, Status.IN_PROGRESS, False),  # it was the answer, and nobody had logged it
        (Resolution.NO_RESPONSE, 12.5, Status.RESOLVED, False),  # from before the question
    ],
)
def test_a_word_is_after_the_closing_if_it_was(  # C7
    desk: Desk, resolution: Resolution, was: float, status: Status, flagged: bool
) -> None:
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    resolve(desk, case, NOON + 2 * HOUR, resolution)
    row = log(desk, case, NOON + 4 * HOUR, NOON + (was - 12) * HOUR, direction=IN)
    assert (reload(case).status, row.needs_answer) == (status, flagged)


def test_a_word_of_somebody_else_is_flagged_and_does_not_reopen(desk: Desk) -> None:  # C7, C3
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    resolve(desk, case, NOON + 2 * HOUR, Resolution.NO_RESPONSE)
    row = log(desk, case, NOON + 4 * HOUR, direction=IN, contact=desk.end_user)
    assert (reload(case).status, row.needs_answer) == (Status.RESOLVED, True)


def test_whoever_handles_a_word_has_their_time_from_its_logging(desk: Desk) -> None:  # C7
    case = desk.open_case(NOON)  # Medium: two hours
    resolve(desk, case, NOON + HOUR, Resolution.CONFIRMED)
    keep_promises(NOON + HOUR)
    logged = NOON + 6 * HOUR
    row = log(desk, case, logged, NOON + 2 * HOUR, direction=IN)
    assert Mail.objects.get(template="word_on_resolved").facts["next_at"] == (logged + 2 * HOUR).isoformat()
    keep_promises(logged + 2 * HOUR - MINUTE)
    assert Interaction.objects.get(pk=row.pk).manager_told_at is None
    keep_promises(logged + 2 * HOUR)
    assert Interaction.objects.get(pk=row.pk).manager_told_at == logged + 2 * HOUR


# --- pages ------------------------------------------------------------------------------------------------------


def press(desk: Desk, case: Case, name: str, now: datetime, **typed: Any) -> Any:
    client = Client()
    client.force_login(desk.technician)
    with time_machine.travel(now, tick=False):
        return client.post(reverse("admin:cases_case_do", args=[case.pk, name]), typed, follow=True)


def says(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


CALL = {"channel": "phone", "direction": "out", "body": "Is it plugged in?"}


def test_a_call_of_this_morning_is_logged_with_whom_it_was(desk: Desk) -> None:  # C3
    case, yuki = desk.open_case(NOON), colleague(desk)
    answer = press(desk, case, "log_contact", NOON + 3 * HOUR, **CALL, contact=yuki.pk, at="2026-06-03T14:00")
    assert says(answer) == "The contact is logged."
    row = Interaction.objects.filter(case=case).last()
    assert row is not None
    assert (row.at, row.contact_id, row.logged_at) == (NOON + 2 * HOUR, yuki.pk, NOON + 3 * HOUR)


def test_a_page_says_what_a_word_with_somebody_else_is_worth(desk: Desk) -> None:  # C3, F6
    case = ask(desk, desk.open_case(NOON), NOON + HOUR)
    other = press(desk, case, "log_contact", NOON + 2 * HOUR, **CALL, contact=desk.end_user.pk)
    assert says(other) == (
        "The contact is logged. It is no word with the customer: they do not belong to the help desk."
    )
    early = press(desk, case, "log_contact", NOON + 2 * HOUR, **CALL, at="2026-06-03T12:30")
    assert says(early) == "The contact is logged. The case goes on waiting: it was before the question."


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"at": "yesterday"}, A_MOMENT),
        ({"at": "2026-06-04T09:00"}, "This is in the future; leave the time empty if it was just now."),
        ({"contact": "0"}, "This person is not there any more; choose somebody else."),
    ],
)
def test_what_was_typed_stays_with_the_sentence(desk: Desk, typed: dict[str, str], sentence: str) -> None:  # S4
    case = desk.open_case(NOON)
    answer = press(desk, case, "log_contact", NOON + HOUR, **{**CALL, **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "Is it plugged in?" in page
    assert Interaction.objects.filter(case=case, opened_the_case=False).count() == 0


def test_the_second_of_two_equal_clicks_is_refused_and_another_time_is_another_call(desk: Desk) -> None:  # C3
    case = desk.open_case(NOON)
    for at, status in (("12:10", 200), ("12:10", 409), ("12:20", 200)):
        answer = press(desk, case, "log_contact", NOON + HOUR, **CALL, at=f"2026-06-03T{at}")
        assert answer.status_code == status
    assert Interaction.objects.filter(case=case, opened_the_case=False).count() == 2


def test_a_contact_from_the_customer_is_marked_for_nobody(desk: Desk) -> None:  # C3
    case = desk.open_case(NOON)  # what the form does not show for it was ticked before
    press(desk, case, "log_contact", NOON + HOUR, **{**CALL, "direction": "in", "for_customer": "on"})
    row = Interaction.objects.filter(case=case).last()
    assert row is not None
    assert (row.direction, row.for_customer) == (IN, False)


@pytest.mark.parametrize("status", [Status.ASSIGNED, Status.IN_PROGRESS, Status.WAITING, Status.RESOLVED])
def test_the_customer_is_written_to_whatever_the_status(desk: Desk, status: Status) -> None:  # C3
    case = desk.open_case(NOON)
    if status == Status.IN_PROGRESS:
        transitions.start_work(case.pk, desk.technician, NOON)
    elif status == Status.WAITING:
        ask(desk, case, NOON)
    elif status == Status.RESOLVED:
        resolve(desk, case, NOON, Resolution.CONFIRMED)
    outbox = Outbox()
    answer = press(desk, case, "write_to_customer", NOON + HOUR, body="We are on it.")
    assert says(answer).startswith(f"The mail is on its way to {desk.contact.name}.")
    assert outbox.all() == {("message", "desk@acme"): 1}
    mail = outbox.rows()[0]
    resolved = "The case stays resolved unless you tell us otherwise."
    assert in_english(mail.facts["next"]) == (resolved if status == Status.RESOLVED else "We keep you informed.")
    assert reload(case).status == status


def test_mail_goes_to_whom_it_was_written_to_and_only_to_the_help_desk(desk: Desk) -> None:  # C3
    case, yuki, outbox = desk.open_case(NOON), colleague(desk), Outbox()
    mail = {"channel": EMAIL, "direction": OUT, "send": True}
    log(desk, case, NOON + HOUR, contact=yuki, **mail)
    assert outbox.letters() == [("message", "yuki@acme.example.com")]
    with pytest.raises(Refused, match="does not belong to the help desk of Acme; write to somebody who does"):
        log(desk, case, NOON + HOUR, contact=desk.end_user, **mail)
    with pytest.raises(Refused, match="What is sent now was not earlier"):
        log(desk, case, NOON + HOUR, NOON + MINUTE, **mail)
    assert outbox.letters() == []


# --- the field --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("", None),
        ("  ", None),
        ("2026-06-03T14:00", datetime(2026, 6, 3, 12, tzinfo=UTC)),
        ("2026-06-03 14:00", datetime(2026, 6, 3, 12, tzinfo=UTC)),
        ("2026-06-03T14:00Z", datetime(2026, 6, 3, 14, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # twice that night: the earlier
        ("2026-03-29T02:30", NO_SUCH_TIME),
        ("2026-06-31T14:00", A_MOMENT),
        ("14:00", A_MOMENT),
    ],
)
def test_a_moment_is_read_in_the_zone_of_the_page(typed: str, moment: datetime | str | None) -> None:  # S4
    field = MomentField()
    with timezone.override(BERLIN):
        if isinstance(moment, str):
            with pytest.raises(ValidationError, match=moment[:20]):
                field.clean(typed)
        else:
            assert field.clean(typed) == moment
