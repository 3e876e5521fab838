"""Mail that came in, in the conversation of its case (M6, M7)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from cases.enums import Door, ReceivedKind, ReceivedOutcome
from cases.inbox.apply import log_on_case
from cases.inbox.receive import receive
from cases.models import Case, ReceivedMail
from cases.timeline import Fold, timeline_of
from tests.support.builders import NOON, Desk, reload
from tests.support.mails import raw_mail
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.DESK_FILES_DIR = tmp_path / "files"


def on_case(case: Case, minutes: int, kind: ReceivedKind, outcome: ReceivedOutcome, **words: Any) -> ReceivedMail:
    """A message that belongs to the case and is no contact."""
    mail = receive(raw_mail("Ann <ann@else.example>", **words), NOON + minutes * MINUTE, door=Door.COMMAND).mail
    ReceivedMail.objects.filter(pk=mail.pk).update(case=case, kind=kind, outcome=outcome, explanation="Why so.")
    return ReceivedMail.objects.get(pk=mail.pk)


def page_of(mail: ReceivedMail) -> str:
    return reverse("admin:cases_receivedmail_change", args=[mail.pk])


def test_a_contact_that_came_by_mail_leads_to_it_and_folds_what_it_quotes(desk: Desk) -> None:  # M7
    case = desk.open_case()
    raw = raw_mail(text="It hangs.\n\nOn Wed, Support wrote:\n> Since when?")
    mail = receive(raw, NOON + MINUTE, door=Door.COMMAND).mail
    log_on_case(mail, case.pk, NOON + MINUTE, contact=desk.contact, by=None)
    page = signed_in(desk.technician).get(case.get_absolute_url()).content.decode()
    said, _, folded = page.partition('<details class="desk-quoted">')
    assert "It hangs." in said
    assert "Since when?" not in said
    assert "Since when?" in folded
    assert f'<a href="{page_of(mail)}">The mail as it came in</a>' in page


def test_bounces_delays_and_notes_stand_out_and_what_programs_wrote_is_folded(desk: Desk) -> None:  # M6
    case = desk.open_case()
    bounce = on_case(case, 1, ReceivedKind.BOUNCE, ReceivedOutcome.BOUNCE)
    on_case(case, 2, ReceivedKind.DELAY, ReceivedOutcome.DELAY)
    on_case(case, 3, ReceivedKind.OUT_OF_OFFICE, ReceivedOutcome.ABSENCE)
    on_case(case, 4, ReceivedKind.AUTOMATIC, ReceivedOutcome.NOTHING, subject="Read: it hangs")
    on_case(case, 5, ReceivedKind.AUTOMATIC, ReceivedOutcome.NOTHING)
    on_case(case, 6, ReceivedKind.PERSON, ReceivedOutcome.TRIAGE, subject="Seems to belong")
    items = timeline_of(reload(case)).items
    singly = [item.entry for item in items if not isinstance(item, Fold) and item.entry.received]
    assert [(entry.title, entry.is_lost, entry.lines) for entry in singly] == [
        ("Out-of-office note", False, ["Why so."]),
        ("A message of ours is late", False, ["Why so."]),
        ("A message of ours did not arrive", True, ["Why so."]),
    ]
    (fold,) = [item for item in items if isinstance(item, Fold) and any(one.received for one in item.entries)]
    assert fold.summary == "2 automatic mails that came in"
    page = signed_in(desk.account_manager).get(case.get_absolute_url()).content.decode()
    assert page_of(bounce) in page
    assert "Seems to belong" not in page


def test_the_page_costs_one_query_more_only_where_there_is_such_mail(desk: Desk) -> None:
    case, client = desk.open_case(), signed_in(desk.technician)
    address = case.get_absolute_url()
    without = queries_of_page(client, address)
    on_case(case, 1, ReceivedKind.BOUNCE, ReceivedOutcome.BOUNCE)
    one = queries_of_page(client, address)
    for minute in range(2, 9):
        on_case(case, minute, ReceivedKind.AUTOMATIC, ReceivedOutcome.NOTHING)
    assert (one, queries_of_page(client, address)) == (without + 1, without + 1)
