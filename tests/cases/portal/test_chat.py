"""The pages of a chat: of the customer, and of the technician who has taken it (D8, P6, P2, A1, S4)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from cases.chat import apply as chat
from cases.chat.state import line_now, say_writing
from cases.enums import Channel, QueueEnding, QueueState
from cases.models import Attachment, Case, Interaction, Mail, QueueEntry
from cases.queue.apply import take
from contacts.enums import Language
from contacts.models import Contact, Technician
from tests.support.builders import Desk, reload
from tests.support.customers import signed_in_customer
from tests.support.pages import form_of, signed_in
from tests.support.queries import queries_of

pytestmark = pytest.mark.django_db

BY_SCRIPT = {"X-Chat": "1"}


@pytest.fixture
def alone(desk: Desk) -> Desk:
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    return desk


@pytest.fixture
def case(alone: Desk) -> Case:
    return reload(alone.open_case(timezone.now() - timedelta(hours=1)))


def address(case: Case, rest: str = "") -> str:
    return f"/support/cases/{case.pk}/chat/{rest}"


def begin(customer: Client, case: Case, **more: Any) -> QueueEntry:
    customer.post(address(case), {"once": "begin", "words": "It hums.", **more})
    return QueueEntry.objects.get()


def say(customer: Client, case: Case, words: str, once: str, **more: Any) -> Any:
    return customer.post(address(case, "say/"), {"once": once, "words": words, **more}, headers=BY_SCRIPT)


def poll(customer: Client, case: Case, **asked: Any) -> Any:
    return customer.get(address(case, "lines/"), asked, headers=BY_SCRIPT)


def staff(entry: QueueEntry, rest: str) -> str:
    return f"/admin/cases/queueentry/{entry.pk}/chat/{rest}/"


# --- the customer -----------------------------------------------------------------------------------------------------


def test_a_chat_begins_from_the_case_waits_and_is_answered(customer: Client, alone: Desk, case: Case) -> None:  # P6
    assert address(case) in customer.get(f"/support/cases/{case.pk}/").content.decode()
    assert "The next specialist who is free answers" in customer.get(address(case)).content.decode()
    entry = begin(customer, case)
    page = customer.get(address(case)).content.decode()
    assert "You are number 1 in line." in page
    assert "It hums." in page
    take(entry.pk, alone.technician, timezone.now())
    chat.answer(entry.pk, alone.technician, timezone.now(), words="I look at it.")
    news = poll(customer, case, after=entry.interaction_id, key="").json()
    assert f"{alone.technician} is here." in news["now"]
    assert "I look at it." in news["lines"]
    assert "It hums." not in news["lines"]
    assert poll(customer, case, after=news["after"], key=news["key"]).status_code == 204
    say_writing(entry.pk, ours=True)
    assert "Writing ..." in poll(customer, case, after=news["after"], key=news["key"]).json()["now"]
    sent = say(customer, case, "Thank you.", "1", after=news["after"]).json()
    assert "Thank you." in sent["lines"]
    chat.end(entry.pk, alone.technician, timezone.now())
    over = poll(customer, case, after=sent["after"], key=sent["key"]).json()
    assert "The chat is over." in over["now"]
    assert not over["open"]
    conversation = customer.get(f"/support/cases/{case.pk}/").content.decode()
    for words in ("It hums.", "I look at it.", "Thank you.", "in a chat"):
        assert words in conversation


def test_a_line_that_is_sent_twice_stands_once(customer: Client, case: Case) -> None:  # S4
    begin(customer, case)
    for _ in range(2):
        answer = say(customer, case, "Since noon.", "same")
        assert answer.status_code == 200
        assert "Since noon." in answer.json()["lines"]
    assert Interaction.objects.filter(channel=Channel.CHAT).count() == 2
    begin(customer, case)  # the form that begins one, once more
    assert QueueEntry.objects.count() == 1


def test_without_a_script_every_form_works_and_nothing_typed_is_lost(customer: Client, case: Case) -> None:  # S4
    begin(customer, case)
    page = customer.post(address(case, "say/"), {"once": "1", "words": "Half a sent", "look": "1"}).content.decode()
    assert "Half a sent</textarea>" in page
    assert Interaction.objects.filter(channel=Channel.CHAT).count() == 1
    answer = customer.post(address(case, "say/"), {"once": "1", "words": "Half a sentence."})
    assert answer.url == address(case)
    too_long = customer.post(address(case, "say/"), {"once": "2", "words": "x" * 4001})
    assert too_long.status_code == 422
    assert "x" * 4001 in too_long.content.decode()
    refused = say(customer, case, "x" * 4001, "3")
    assert (refused.status_code, "too long" in refused.json()["error"]) == (422, True)


def test_files_go_with_a_line_and_both_read_them(customer: Client, alone: Desk, case: Case) -> None:  # C3
    entry = begin(customer, case)
    take(entry.pk, alone.technician, timezone.now())
    file = SimpleUploadedFile("label.txt", b"K-200")
    assert "label.txt" in say(customer, case, "This one.", "1", attachments=file).json()["lines"]
    program = SimpleUploadedFile("run.exe", b"MZ" + b"\0" * 64)
    refused = say(customer, case, "And this.", "2", attachments=program)
    assert (refused.status_code, "run.exe" in refused.json()["error"]) == (422, True)
    technician = signed_in(alone.technician)
    assert "label.txt" in technician.get(staff(entry, "lines")).json()["lines"]
    ours = SimpleUploadedFile("driver.txt", b"7.2")
    technician.post(staff(entry, "say"), {"body": "Take this.", "once": "1", "attachments": ours})
    news = poll(customer, case, after=entry.interaction_id, key="").json()
    kept = Attachment.objects.get(name="driver.txt")
    path = f"/support/cases/{case.pk}/files/{kept.pk}/driver.txt"
    assert path in news["lines"]
    assert b"".join(customer.get(path).streaming_content) == b"7.2"


def test_what_comes_after_the_end_goes_to_the_case(customer: Client, alone: Desk, case: Case) -> None:  # P6, S4
    entry = begin(customer, case)
    answer = customer.post(address(case, "leave/"), follow=True)
    assert "stands on your case as a message" in answer.content.decode()
    assert QueueEntry.objects.get().ending == QueueEnding.MESSAGE
    late = say(customer, case, "One more thing.", "9")
    assert late.json() == {"go": f"/support/cases/{case.pk}/"}
    assert "stands on your case as a message" in customer.get(f"/support/cases/{case.pk}/").content.decode()
    assert Interaction.objects.get(body="One more thing.").channel == Channel.PAGE
    page = customer.get(address(case)).content.decode()
    assert "Nobody is free to chat just now." in page
    assert "Begin the chat" in customer.get(f"{address(case)}?new=1").content.decode()
    customer.post(address(case), {"once": "again", "words": "Once more."})
    assert QueueEntry.objects.exclude(pk=entry.pk).get().state == QueueState.OFFERED


def test_nobody_on_duty_is_said_before_and_after(customer: Client, alone: Desk, case: Case) -> None:  # P6
    Technician.objects.update(on_duty=False)
    assert "Nobody is here to chat at this hour." in customer.get(address(case)).content.decode()
    begin(customer, case)
    assert "Nobody is free to chat just now." in customer.get(address(case)).content.decode()


def test_a_new_question_becomes_a_case_and_a_chat(customer: Client, alone: Desk) -> None:  # P6, P3
    missing = customer.post("/support/chat/", {"once": "1", "title": "", "words": "It is slow."})
    assert missing.status_code == 422
    assert "It is slow.</textarea>" in missing.content.decode()
    for _ in range(2):
        answer = customer.post("/support/chat/", {"once": "1", "title": "The till", "words": "It is slow."})
    case = Case.objects.get(title="The till")
    assert answer.url == address(case)
    assert "It is slow." in customer.get(answer.url).content.decode()
    assert customer.get("/support/chat/").url == address(case)  # one at a time
    other = alone.open_case()
    assert customer.get(address(other)).url == address(case)


def test_the_transcript_is_mailed_when_asked_for(customer: Client, alone: Desk, case: Case) -> None:  # P6
    begin(customer, case)
    answer = customer.post(address(case, "transcript/"), follow=True)
    assert "on its way to you by mail" in answer.content.decode()
    assert Mail.objects.get(template="chat_transcript").to_address == alone.contact.email


def test_a_chat_of_somebody_else_does_not_exist(customer: Client, alone: Desk, case: Case) -> None:  # P2, A1
    begin(customer, case)
    contact = alone.contact
    foreign = signed_in_customer(alone.other_company.contacts.get(is_help_desk=True))
    colleague = Contact.objects.create(company=alone.company, name="Bo", email="bo@acme.example", is_help_desk=True)
    for client, pages in ((foreign, ("", "lines/")), (signed_in_customer(colleague), ("lines/",))):
        for rest in pages:
            assert client.get(address(case, rest)).status_code == 404
        for rest in ("say/", "leave/", "transcript/"):
            assert client.post(address(case, rest), {"once": "1", "words": "x"}).status_code == 404
    assert foreign.post(address(case), {"once": "1", "words": "x"}).status_code == 404
    assert Interaction.objects.filter(channel=Channel.CHAT).count() == 1
    anonymous = Client().get(address(case, "lines/"))
    assert anonymous["Location"].startswith("/support/sign-in/")
    moved = alone.other_company
    Contact.objects.filter(pk=contact.pk).update(company=moved)
    assert customer.get(address(case, "lines/")).status_code == 404  # they work elsewhere now


def test_what_a_chat_answers_holds_nothing_of_the_inside(customer: Client, alone: Desk, case: Case) -> None:  # P2
    entry = begin(customer, case)
    take(entry.pk, alone.technician, timezone.now())
    said = json.dumps(poll(customer, case, after=0, key="").json())
    for inside in ("/admin", alone.technician.email, "why_offered", "speaks the language"):
        assert inside not in said


def test_the_chat_is_japanese_for_who_reads_japanese(alone: Desk, case: Case) -> None:  # P7
    Contact.objects.filter(pk=alone.contact.pk).update(language=Language.JAPANESE)
    customer = signed_in_customer(Contact.objects.get(pk=alone.contact.pk))
    for path in ("/support/chat/", address(case)):
        assert not re.search(r"Chat with|free answers|Begin the", customer.get(path).content.decode()), path
    entry = begin(customer, case)
    assert not re.search("You are number|End the chat|Mail me", customer.get(address(case)).content.decode())
    take(entry.pk, alone.technician, timezone.now())
    assert "is here" not in poll(customer, case, after=0, key="").json()["now"]
    chat.leave(alone.contact, entry.pk, timezone.now())
    assert "Nobody is free" not in customer.get(address(case)).content.decode()


# --- what polling costs -----------------------------------------------------------------------------------------------


def test_a_poll_costs_the_same_with_few_and_many_lines_and_people(customer: Client, alone: Desk, case: Case) -> None:
    entry = begin(customer, case)
    take(entry.pk, alone.technician, timezone.now())
    key = poll(customer, case, after=0, key="").json()["key"]
    idle = queries_of(lambda: poll(customer, case, after=0, key=key))
    assert idle <= 3  # the session, the contact, the chat with its newest line
    fresh = queries_of(lambda: poll(customer, case, after=0, key=""))
    for number in range(30):
        chat.say(alone.contact, entry.pk, timezone.now(), words=f"Line {number}")
    key = poll(customer, case, after=0, key="").json()["key"]
    assert queries_of(lambda: poll(customer, case, after=0, key=key)) == idle
    assert queries_of(lambda: poll(customer, case, after=0, key="")) == fresh <= 5


def test_the_places_in_line_are_reckoned_once_for_everybody(alone: Desk, case: Case, customer: Client) -> None:  # Q3
    Technician.objects.filter(user=alone.technician).update(on_duty=True)
    begin(customer, case)
    QueueEntry.objects.update(state=QueueState.WAITING, technician=None, offered_at=None)
    cache.delete("chat-places")
    key = poll(customer, case, after=0, key="").json()["key"]
    assert queries_of(lambda: poll(customer, case, after=0, key=key)) <= 3


def test_the_line_costs_the_same_however_many_wait(alone: Desk, case: Case) -> None:  # Q3
    def wait(number: int) -> None:
        person = Contact.objects.create(company=alone.company, name=f"P{number}", email=f"p{number}@acme.example")
        now = timezone.now()
        QueueEntry.objects.create(
            kind="chat", case=case, company=alone.company, contact=person, arrived_at=now, in_line_since=now,
            heard_at=now,
        )  # fmt: skip

    def cost() -> int:
        cache.delete("chat-places")
        return queries_of(lambda: line_now(timezone.now()))

    wait(0), line_now(timezone.now())
    few = cost()
    for number in range(1, 12):
        wait(number)
    assert cost() == few
    places = line_now(timezone.now()).places
    assert sorted(place for place, _ in places.values()) == list(range(1, 13))


def test_a_poll_writes_once_in_a_while(customer: Client, alone: Desk, case: Case) -> None:
    entry = begin(customer, case)
    before = QueueEntry.objects.get().heard_at
    poll(customer, case, after=0, key="")
    assert QueueEntry.objects.get().heard_at == before
    QueueEntry.objects.filter(pk=entry.pk).update(heard_at=before - timedelta(seconds=30))
    poll(customer, case, after=0, key="")
    assert QueueEntry.objects.get().heard_at >= before


# --- the technician ---------------------------------------------------------------------------------------------------


def test_the_technician_is_offered_it_and_answers_on_the_page_of_the_case(
    customer: Client, alone: Desk, case: Case
) -> None:  # P6, Q2
    entry = begin(customer, case)
    technician = signed_in(alone.technician)
    bar = technician.get("/admin/cases/queueentry/mine/").content.decode()
    assert 'data-desk-ring-kind="Chat"' in bar
    assert case.number in bar
    assert form_of(technician, case, "chat") == ""
    taken = technician.post(f"/admin/cases/queueentry/{entry.pk}/do/take/")
    assert taken.url == case.form_url("chat")
    page = technician.get(taken.url).content.decode()
    assert "data-chat-lines" in page
    assert "It hums." in page
    assert "reads this at once" in page
    for _ in range(2):
        answer = technician.post(staff(entry, "say"), {"body": "Since when?", "once": "a", "after": "0"})
        assert "Since when?" in answer.json()["lines"]
    assert Interaction.objects.filter(chat=entry, by=alone.technician).count() == 1
    empty = technician.post(staff(entry, "say"), {"body": " ", "once": "b"})
    assert (empty.status_code, empty.json()["error"]) == (422, "Write down what was said.")
    customer.get(address(case, "lines/"), {"writing": "1"})
    news = technician.get(staff(entry, "lines")).json()
    assert "writes ..." in news["now"]
    quiet = technician.get(staff(entry, "lines"), {"key": news["key"], "after": news["after"]})
    assert quiet.status_code == 204
    # Without a script: the form of the composer, sent as any other.
    answer = technician.post(f"/admin/cases/case/{case.pk}/do/chat/", {"body": "Which model?", "once": "c"})
    assert answer.status_code == 302
    assert Interaction.objects.filter(chat=entry, by=alone.technician).count() == 2
    over = technician.post(f"/admin/cases/queueentry/{entry.pk}/do/over/")
    assert over.url == case.form_url("chat")
    assert "is over" in technician.get(over.url, follow=True).content.decode()
    assert form_of(technician, case, "chat") == ""
    refused = technician.post(f"/admin/cases/case/{case.pk}/do/chat/", {"body": "Are you there?", "once": "d"})
    assert refused.status_code == 409
    assert "Are you there?" in refused.content.decode()


def test_the_board_and_my_desk_show_who_waits_in_a_chat(customer: Client, alone: Desk, case: Case) -> None:  # P6
    begin(customer, case)
    technician = signed_in(alone.technician)
    assert "1 waits in a chat" in re.sub(r"<[^>]+>", "", technician.get("/admin/").content.decode())
    assert f"Chat about {case.number}" in technician.get("/admin/cases/queueentry/board/").content.decode()


def test_a_chat_that_somebody_else_has_taken_is_not_read_along(customer: Client, alone: Desk, case: Case) -> None:  # A1
    entry = begin(customer, case)
    take(entry.pk, alone.technician, timezone.now())
    for user in (alone.l3, alone.manager, alone.account_manager, alone.other_account_manager):
        client = signed_in(user)
        assert client.get(staff(entry, "lines")).status_code == 404, user
        assert client.post(staff(entry, "say"), {"body": "x", "once": "1"}).status_code in (403, 404), user
        assert form_of(client, case, "chat") == "" if user != alone.other_account_manager else True
    assert Interaction.objects.filter(chat=entry).count() == 1


def test_polling_a_chat_costs_the_technician_the_same_with_many_lines(
    customer: Client, alone: Desk, case: Case
) -> None:
    entry = begin(customer, case)
    take(entry.pk, alone.technician, timezone.now())
    technician = signed_in(alone.technician)
    key = technician.get(staff(entry, "lines")).json()["key"]
    assert queries_of(lambda: technician.get(staff(entry, "lines"), {"key": key})) <= 3
    page = queries_of(lambda: technician.get(case.get_absolute_url()))
    for number in range(20):
        chat.say(alone.contact, entry.pk, timezone.now(), words=f"Line {number}")
    assert queries_of(lambda: technician.get(case.get_absolute_url())) <= page
