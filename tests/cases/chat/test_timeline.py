"""The lines of a chat stand together on the page of the case (P6, C3, C7)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.chat import apply as chat
from cases.enums import Channel, Direction, Resolution
from cases.portal.apply import start_chat
from cases.queue.apply import take
from cases.timeline import ChatFold, Filter, timeline_of
from cases.workflow import transitions
from cases.workflow.contact_log import log_contact
from contacts.models import Technician
from tests.support.builders import Desk, reload
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_the_lines_of_a_chat_are_one_entry_and_a_note_between_them_parts_them(desk: Desk) -> None:  # P6
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    now, tech = timezone.now() - timedelta(minutes=5), desk.technician
    case = desk.open_case(now - timedelta(hours=1))
    entry = start_chat(desk.contact, case.pk, now, words="It hums.")
    take(entry.pk, tech, now + SECOND)
    for number in range(2, 8, 2):
        chat.answer(entry.pk, tech, now + number * SECOND, words=f"Try {number}.")
        chat.say(desk.contact, entry.pk, now + (number + 1) * SECOND, words=f"No {number}.")
    log_contact(
        case.pk, tech, now + 8 * SECOND, channel=Channel.NOTE, direction=Direction.INTERNAL, body="It is the fan."
    )
    chat.answer(entry.pk, tech, now + 9 * SECOND, words="It is the fan.")
    folds = [one for one in timeline_of(reload(case), shown=Filter.WORDS).items if isinstance(one, ChatFold)]
    assert [[moment.entry.body for moment, _ in fold.said] for fold in folds] == [
        ["It hums.", "Try 2.", "No 2.", "Try 4.", "No 4.", "Try 6.", "No 6."]
    ]
    assert {writer for _, writer in folds[0].said} == {str(tech), desk.contact.name}
    page = re.sub(r"\s+", " ", signed_in(tech).get(case.get_absolute_url()).content.decode())
    assert "Chat with the customer, 7 lines" in page
    for words in ("It hums.", "No 6.", "It is the fan."):
        assert words in page


def test_a_line_that_needs_an_answer_stands_for_itself_with_its_buttons(desk: Desk) -> None:  # C7
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    now, tech = timezone.now() - timedelta(minutes=5), desk.technician
    case = desk.open_case(now - timedelta(hours=1))
    transitions.resolve(case.pk, tech, now - SECOND, resolution=Resolution.NOT_PURSUED)
    entry = start_chat(desk.contact, case.pk, now, words="It is back.")
    for number in range(3):
        chat.say(desk.contact, entry.pk, now + (number + 1) * SECOND, words=f"Louder {number}.")
    page = signed_in(tech).get(case.get_absolute_url()).content.decode()
    assert page.count("Needs an answer") >= 1
    assert "Chat with the customer, 3 lines" in page
