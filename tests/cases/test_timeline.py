"""The timeline of a case: what the desk sends over and over is folded, people's words stand out, nothing is lost."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from cases.enums import Channel, Direction, MailStatus, Severity
from cases.mail.messages import Routine
from cases.models import Case, Mail
from cases.timeline import ChatFold, Entry, Fold, Moment, Timeline, timeline_of
from contacts.models import User
from escalations.enums import Member
from escalations.models import DigestLine
from escalations.questions.updates import send_status_update
from tests.support.builders import NOON, Desk
from tests.support.stage import Stage

TO_CUSTOMER = Routine("update to the customer", "updates to the customer", "Update", 10)
TO_STAFF = Routine("update to staff", "updates to staff", "Update", 20)
REMINDER = Routine("reminder", "reminders", place=30)


def entry(minute: int, routine: Routine | None = None, to: str = "", **more: Any) -> Entry:
    """Something that happened so many minutes after noon."""
    more = {"kind": "mail" if routine else "contact", "icon": "", "title": routine.one if routine else "Call", **more}
    return Entry(at=NOON + timedelta(minutes=minute), to=to, routine=routine, **more)


def told(*entries: Entry) -> list[Moment | Fold | ChatFold]:
    return Timeline(list(entries), 0, has_older=False).items


# --- what is folded, without a database -------------------------------------------------------------------------


def test_routine_between_the_words_of_people_is_one_entry_and_their_words_stand_alone() -> None:
    note = entry(9, kind="note", title="Internal note")
    call = entry(1)
    shown = told(note, entry(8, TO_CUSTOMER, "Ada"), entry(5, REMINDER, "tech"), entry(3, TO_STAFF, "csm"), call)
    assert [type(one) for one in shown] == [Moment, Fold, Moment]
    first, fold, last = shown
    assert (first.entry, last.entry) == (note, call)
    assert (fold.title, fold.at, fold.since) == (
        "3 messages of the desk",
        NOON + timedelta(minutes=8),
        NOON + timedelta(minutes=3),
    )
    assert fold.summary == "1 update to the customer, 1 update to staff and 1 reminder"


def test_one_message_alone_is_quiet_too_and_says_what_it_is_and_to_whom() -> None:
    (fold,) = told(entry(5, REMINDER, "tech", title="Reminder", lines=["Owed by 14:00"]))
    assert isinstance(fold, Fold)
    assert (fold.title, fold.summary) == ("Reminder", "To tech: Owed by 14:00")


def test_the_same_message_to_several_people_is_one_line_with_everybody_on_it() -> None:
    copies = [entry(5, TO_CUSTOMER, "Ada"), entry(5, TO_STAFF, "csm"), entry(5, TO_STAFF, "am")]
    (fold,) = told(*copies)
    (line,) = fold.moments
    assert (line.title, line.people, line.copies) == ("Update to 3 people", ["Ada", "csm", "am"], copies)
    assert (fold.title, fold.summary) == ("Update to 3 people", "To Ada, csm, am")


def test_messages_of_other_moments_or_kinds_are_lines_of_their_own() -> None:
    copies = [entry(5, TO_STAFF, "csm"), entry(5, TO_STAFF, "am")]
    (fold,) = told(entry(6, TO_STAFF, "csm"), *copies, entry(5, REMINDER, "tech"))
    lines = [(one.entry.at.minute, one.people) for one in fold.moments]
    assert lines == [(6, ["csm"]), (5, ["csm", "am"]), (5, ["tech"])]
    assert (fold.title, fold.summary) == ("4 messages of the desk", "3 updates to staff and 1 reminder")


def test_two_mails_to_one_name_at_one_moment_are_both_told() -> None:
    mails = [Mail(pk=1), Mail(pk=2)]
    (fold,) = told(*(entry(5, TO_STAFF, "csm", mail=mail) for mail in mails))
    assert [one.mail for one in fold.moments[0].copies] == mails


def test_a_message_that_did_not_arrive_is_counted_where_it_is_folded() -> None:
    (fold,) = told(entry(6, TO_STAFF, "csm", is_lost=True), entry(5, TO_STAFF, "am"))
    assert fold.lost == 1


def test_what_is_mailed_of_something_stands_with_it_and_a_notice_says_what_its_history_would_repeat() -> None:
    change = entry(5, kind="change", title="Escalated")
    mails = [entry(5, kind="mail", title="Mail", to=to) for to in ("csm", "am")]
    (shown,) = told(change, *mails)
    assert (shown.entry, list(shown.mailed)) == (change, mails)
    notice = entry(6, kind="notice", title="First notice")
    (shown,) = told(entry(6, kind="change", title="Followed up"), notice)
    assert shown.entry == notice
    closed = entry(7, kind="change", title="Followed up", lines=["Status Customer Update Required to Resolved"])
    assert told(closed, entry(7, kind="notice", title="Closed"))[0] == Moment(closed)


def test_what_a_contact_set_off_and_what_answers_a_question_stand_in_one_entry() -> None:
    call = entry(5, title="Phone from the customer", body="It is version 7.")
    status = {"body": "Phone: It is version 7.", "lines": ["Status x to y"]}
    change = entry(5, kind="change", title="Customer responded", **status)
    (shown,) = told(call, change)
    assert (shown.entry.title, shown.entry.lines) == ("Phone from the customer", ["Customer responded: Status x to y"])
    other = entry(5, kind="change", title="Resolved", body="Something else.")
    assert [one.entry.title for one in told(call, other)] == ["Phone from the customer", "Resolved"]
    note = entry(6, kind="note", title="Internal note", body="A part comes.", lines=["Told: csm"])
    answer = entry(6, kind="answer", title="Answer to High 1", body="A part comes.", lines=["For the customer: Soon."])
    (shown,) = told(note, answer)
    assert (shown.entry.title, shown.entry.lines) == ("Answer to High 1", ["Told: csm", "For the customer: Soon."])
    unlike = entry(6, kind="note", title="Internal note", body="Another note.")
    assert [one.entry.title for one in told(unlike, answer)] == ["Internal note", "Answer to High 1"]


def test_whoever_got_two_mails_at_once_is_named_once() -> None:
    change = entry(5, kind="change", title="Escalated")
    readers = enumerate(("am", "csm", "am"), 1)
    mails = [entry(5, kind="mail", title="Mail", to=to, mail=Mail(pk=key)) for key, to in readers]
    (shown,) = told(change, *mails)
    assert [(name, len(got)) for name, got in shown.mails_by_reader] == [("am", 2), ("csm", 1)]


# --- on the page of a case that lived ---------------------------------------------------------------------------


def lived(desk: Desk, hours: int = 14) -> Case:
    """High for some hours: called, noted, told, escalated, and the desk wrote in between."""
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.do("1:00", stage.contact(case, Channel.PHONE, Direction.OUT, body="We called them."))
    stage.do("9:00", stage.contact(case, Channel.NOTE, Direction.INTERNAL, body="A note to all."))
    stage.to("12:00")
    tells = {"text": "The vendor is on it.", "members": [Member.CSM], "customer_too": True, "answers_question": False}
    stage.do("12:30", lambda now: send_status_update(case.pk, desk.technician, now, **tells))
    stage.to(f"{hours}:30")
    return Case.objects.get(pk=case.pk)


def page_of(case: Case, user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get(case.get_absolute_url()).content.decode()


def folds_of(page: str) -> list[str]:
    return re.findall(r"<details class=\"desk-entry-said\">.*?</details>", page, re.DOTALL)


@pytest.mark.django_db
def test_every_mail_of_the_case_can_be_reached_and_nothing_is_told_that_is_not_there(desk: Desk) -> None:  # M1
    case = lived(desk)
    linked = {int(pk) for pk in re.findall(r"/admin/cases/mail/(\d+)/change/", page_of(case, desk.manager))}
    mails = Mail.objects.filter(case=case)
    assert linked == set(mails.values_list("pk", flat=True))
    assert mails.filter(template="status_update").count() >= 3  # of the kinds that fold, to customer and to staff
    assert DigestLine.objects.filter(case=case).count() >= 3


@pytest.mark.django_db
def test_what_people_said_stands_outside_every_fold_and_routine_inside(desk: Desk) -> None:  # C3
    case = lived(desk)
    page = page_of(case, desk.manager)
    folds = folds_of(page)
    assert folds
    for words in ("We called them.", "A note to all.", "The vendor is on it."):
        assert escape(words) in page
        assert not any(escape(words) in fold for fold in folds)
    inside = {int(pk) for fold in folds for pk in re.findall(r"/admin/cases/mail/(\d+)/change/", fold)}
    routine = {"status_update", "staff_lines"}
    assert set(Mail.objects.filter(pk__in=inside).values_list("template", flat=True)) <= routine
    outside = Mail.objects.filter(case=case).exclude(pk__in=inside)
    by_desk = outside.filter(template__in=routine).exclude(queued_at=NOON + timedelta(hours=12.5))
    assert not by_desk.exists(), list(by_desk.values_list("template", "queued_at"))


@pytest.mark.django_db
def test_the_summaries_count_what_was_written_each_message_once(desk: Desk) -> None:
    case = lived(desk)
    counted: Counter[str] = Counter()
    for one in timeline_of(case).items:
        if isinstance(one, Fold):
            counted.update(entry.routine.one for entry in one.entries if entry.routine)
    wanted = {
        "status update to the customer": Mail.objects.filter(case=case, template="status_update").count(),
        "status update to staff": DigestLine.objects.filter(case=case, section="update").count(),
        "reminder to the owner": DigestLine.objects.filter(case=case, section="reminder").count(),
        "word to the Support Manager": DigestLine.objects.filter(
            case=case, section__in=["silence", "question"]
        ).count(),
    }
    assert counted == {name: number for name, number in wanted.items() if number}
    assert len(counted) == 4


@pytest.mark.django_db
def test_a_mail_that_did_not_arrive_says_so_on_the_closed_fold(desk: Desk) -> None:  # M1
    case = lived(desk)
    update = Mail.objects.filter(case=case, template="status_update").order_by("pk").first()
    assert update is not None
    assert "not delivered" not in page_of(case, desk.manager)
    Mail.objects.filter(pk=update.pk).update(status=MailStatus.BOUNCED, last_error="550 No such user")
    (fold,) = [fold for fold in folds_of(page_of(case, desk.manager)) if f"/admin/cases/mail/{update.pk}/" in fold]
    summary, inside = fold.split("</summary>")
    assert "1 not delivered" in summary
    assert "550 No such user" in inside


@pytest.mark.slow
@pytest.mark.django_db
def test_a_long_life_asks_as_much_of_the_database_as_a_short_one(desk: Desk) -> None:
    def asked(case: Case) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert any(isinstance(one, Fold) for one in timeline_of(case).items)
        return len(queries)

    assert asked(lived(desk, hours=34)) == asked(lived(desk))
