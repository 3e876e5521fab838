"""Copies of what is written to a customer, to others of their help desk: a row for each, who else got it (C3, M1)."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cases.enums import AgreedBy, Channel, Direction, MailStatus, Resolution, Status, WaitReason
from cases.followup.state import load_wait
from cases.guards import Refused
from cases.mail.outbox import deliver
from cases.mail.rendering import is_reply_address, render, reply_address
from cases.models import Case, Interaction, Mail
from cases.policy.followup.held_up import held_up_since
from cases.timeline import timeline_of
from cases.workflow import contact_log, transitions
from contacts.models import Contact
from escalations.questions.updates import send_status_update
from tests.support.builders import NOON, Desk, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
CUSTOMER, YUKI = "desk@acme.example.com", "yuki@acme.example.com"


def colleague(desk: Desk, name: str = "Yuki Tanaka", **fields: Any) -> Contact:
    fields = {"email": YUKI, "is_help_desk": True, **fields}
    return Contact.objects.create(company=desk.company, name=name, **fields)


Write = Callable[[Desk, Case, list[Contact]], object]

#: Everything that is written to a customer and of which there are copies, and its message.
WRITTEN: dict[str, tuple[Write, str]] = {
    "write": (
        lambda desk, case, copies: contact_log.log_contact(
            case.pk,
            desk.technician,
            NOON + HOUR,
            channel=Channel.EMAIL,
            direction=Direction.OUT,
            body="We are on it.",
            send=True,
            copies=copies,
        ),
        "message",
    ),
    "ask": (
        lambda desk, case, copies: transitions.ask_customer(
            case.pk,
            desk.technician,
            NOON + HOUR,
            question="Which floor?",
            reason=WaitReason.INFORMATION,
            copies=copies,
        ),
        "question",
    ),
    "update": (
        lambda desk, case, copies: send_status_update(
            case.pk, desk.technician, NOON + HOUR, text="Half way.", customer_too=True, copies=copies
        ),
        "status_by_person",
    ),
    "resolve": (
        lambda desk, case, copies: transitions.resolve(
            case.pk,
            desk.technician,
            NOON + HOUR,
            resolution=Resolution.CONFIRMED,
            agreed_by=AgreedBy.PHONE,
            solution="Toner.",
            copies=copies,
        ),
        "resolved",
    ),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_each_gets_a_row_and_reads_who_else_got_it(desk: Desk, how: str) -> None:  # C3, M1, M3
    case, copies, outbox = desk.open_case(NOON), [colleague(desk)], Outbox()
    write, message = WRITTEN[how]
    write(desk, case, copies)
    assert outbox.letters() == [(message, CUSTOMER), (message, YUKI)]
    first, copy = outbox.rows()
    name = case.contact.name
    for mail, other in ((first, "Yuki Tanaka"), (copy, name)):
        rendered = render(mail)
        assert f"\nAlso sent to: {other}\n" in rendered.text
        assert f"Also sent to: {other}<" in rendered.html
    assert "You get this because you belong to the help desk of Acme." in render(copy).text
    assert first.message_id != copy.message_id
    assert first.case_id == copy.case_id == case.pk
    # An answer of either belongs to the case: each address is signed for its reader.
    assert is_reply_address(reply_address(copy), copy)
    assert reply_address(copy) != reply_address(first)


@pytest.mark.parametrize("how", ["write", "ask", "update"])
def test_the_log_knows_who_got_a_copy(desk: Desk, how: str) -> None:  # C3
    case, yuki = desk.open_case(NOON), colleague(desk)
    WRITTEN[how][0](desk, case, [yuki])
    word = Interaction.objects.filter(case=case).last()
    assert word is not None
    assert (word.copied_to, word.copied_names) == ([{"id": yuki.pk, "name": "Yuki Tanaka"}], ["Yuki Tanaka"])
    said = [entry.who for entry in timeline_of(reload(case)).entries if entry.interaction == word]
    assert said == [f"tech to {case.contact.name}, cc Yuki Tanaka"]


def test_without_copies_nothing_is_said_of_them(desk: Desk) -> None:  # M1
    case, outbox = desk.open_case(NOON), Outbox()
    WRITTEN["write"][0](desk, case, [])
    (mail,) = outbox.rows()
    assert "also_to" not in mail.facts
    assert "Also sent" not in render(mail).text


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("end user", "End user of Acme does not belong to the help desk of Acme, so they get no copy."),
        ("stranger", "does not work for Acme; choose one of theirs."),
        ("gone", "Yuki Tanaka has left Acme"),
        ("without address", "Yuki Tanaka has no email address, so they get no copy."),
    ],
)
@pytest.mark.parametrize("how", WRITTEN)
def test_only_the_help_desk_gets_copies(desk: Desk, how: str, who: str, sentence: str) -> None:  # C3, D3, D9
    people: dict[str, Callable[[], Contact]] = {
        "end user": lambda: desk.end_user,
        "stranger": lambda: desk.other_company.contacts.get(is_help_desk=True),
        "gone": lambda: colleague(desk, active=False),
        "without address": lambda: colleague(desk, email=""),
    }
    case, outbox = desk.open_case(NOON), Outbox()
    with pytest.raises(Refused, match=sentence) as caught:
        WRITTEN[how][0](desk, case, [people[who]()])
    assert caught.value.field == "copies"
    assert outbox.rows() == []
    assert reload(case).status == Status.ASSIGNED


def test_an_address_gets_a_mail_once(desk: Desk) -> None:  # M1
    case, outbox = desk.open_case(NOON), Outbox()
    twin, yuki = colleague(desk, "Twin", email=CUSTOMER.upper()), colleague(desk)
    WRITTEN["write"][0](desk, case, [twin, yuki, yuki, case.contact])
    assert outbox.letters() == [("message", CUSTOMER), ("message", YUKI)]


def test_a_copy_of_the_question_that_is_lost_does_not_hold_the_wait_up(desk: Desk) -> None:  # F2
    case = desk.open_case(NOON)
    WRITTEN["ask"][0](desk, case, [colleague(desk)])
    rows = Mail.objects.filter(template="question")
    rows.filter(to_address=YUKI).update(status=MailStatus.BOUNCED)
    assert held_up_since(load_wait(Case.objects.get())) is None
    rows.filter(to_address=CUSTOMER).update(status=MailStatus.BOUNCED)
    assert held_up_since(load_wait(Case.objects.get())) is not None


def test_nobody_who_left_meanwhile_is_sent_a_copy(desk: Desk) -> None:  # M1, D9
    case, yuki = desk.open_case(NOON), colleague(desk)
    WRITTEN["write"][0](desk, case, [yuki])
    Contact.objects.filter(pk=yuki.pk).update(active=False)
    deliver(lambda: NOON + HOUR)
    sent = dict(Mail.objects.filter(template="message").values_list("to_address", "status"))
    assert sent == {CUSTOMER: MailStatus.SENT, YUKI: MailStatus.DROPPED}


# --- pages ------------------------------------------------------------------------------------------------------


def press(desk: Desk, case: Case, name: str, **typed: Any) -> Any:
    client = Client()
    client.force_login(desk.technician)
    with time_machine.travel(NOON + HOUR, tick=False):
        return client.post(reverse("admin:cases_case_do", args=[case.pk, name]), typed, follow=True)


def test_a_tick_sends_a_copy_and_the_page_says_to_whom(desk: Desk) -> None:  # C3
    case, yuki, outbox = desk.open_case(NOON), colleague(desk), Outbox()
    answer = press(desk, case, "write_to_customer", body="We are on it.", copies=[yuki.pk])
    said = " ".join(str(message) for message in answer.context["messages"])
    assert said == f"The mail is on its way to {case.contact.name} and Yuki Tanaka."
    assert outbox.letters() == [("message", CUSTOMER), ("message", YUKI)]


@pytest.mark.parametrize("name", ["write_to_customer", "ask_customer", "resolve", "give_update"])
def test_only_who_can_get_one_is_offered_a_copy(desk: Desk, name: str) -> None:  # C3, S4
    case, yuki = desk.open_case(NOON), colleague(desk)
    colleague(desk, "Left Long Ago", active=False)
    colleague(desk, "No Address", email="")
    answer = press(desk, case, name, copies=[desk.end_user.pk])
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Somebody whom you ticked is not there any more; look whom you tick now." in page
    offered = answer.context["action"].fields["copies"].choices
    assert list(offered) == [(str(yuki.pk), "Yuki Tanaka")]


def test_where_nobody_can_get_a_copy_nobody_is_asked(desk: Desk) -> None:
    answer = press(desk, desk.open_case(NOON), "write_to_customer", body="")
    assert answer.status_code == 422
    assert "copies" not in answer.context["action"].fields
