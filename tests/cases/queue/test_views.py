"""The doors of telephone systems: the generic push interface, and carriers that ask in TwiML (Q1, Q3, Q5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from xml.etree import ElementTree

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from cases.enums import QueueEnding, QueueState
from cases.models import CallEvent, QueueEntry
from cases.queue import announcements
from cases.queue.apply import take
from cases.queue.state import load_queue
from cases.queue.systems import phone_systems, setting_problems
from cases.queue.twiml import is_signed
from contacts.models import Technician
from tests.support.builders import Desk

pytestmark = pytest.mark.django_db

SECRET, TOKEN = "a-secret-of-24-characters", "12345"
SYSTEMS = [f"pbx=generic:{SECRET}", f"carrier=twiml:{SECRET}:{TOKEN}", f"unsigned=twiml:{SECRET}x"]
PUSH, STEER = f"/calls/pbx/{SECRET}/", f"/calls/carrier/{SECRET}/"
NUMBER = "+49301234567"


@pytest.fixture(autouse=True)
def systems():
    with override_settings(DESK_PHONE_SYSTEMS=SYSTEMS, SITE_URL="https://desk.example.com"):
        yield


@pytest.fixture
def alone(desk: Desk) -> Desk:
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    contact = desk.contact
    contact.phone = "030 1234567"
    contact.save()
    return desk


def push(client: Client, **fields):
    return client.post(PUSH, {"callId": "1", "from": NUMBER, "to": "+498001234567", "direction": "in", **fields})


# --- the generic push interface ---------------------------------------------------------------------------------


def test_a_call_is_pushed_from_its_beginning_to_its_end(client, alone) -> None:  # Q1, Q5
    for fields in ({"event": "newCall"}, {"event": "answer", "user[]": "tech"}, {"event": "hangup", "cause": "normal"}):
        assert push(client, **fields).status_code == 200
    entry = QueueEntry.objects.get()
    assert (entry.provider, entry.contact, entry.technician) == ("pbx", alone.contact, alone.technician)
    assert (entry.state, entry.ending) == (QueueState.ENDED, QueueEnding.SPOKEN)


def test_it_may_come_as_json_with_fields_that_nobody_knows(client, alone) -> None:  # Q5
    body = {"event": "newCall", "callId": 77, "from": NUMBER, "user": ["a", "b"], "queue": "x", "more": {"deep": [1]}}
    answer = client.post(PUSH, body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"kept": True, "state": "offered"})
    assert CallEvent.objects.get().call_id == "77"


def test_parts_may_be_missing(client, alone) -> None:  # Q1
    assert client.post(PUSH, {"event": "hangup", "callId": "9"}).json() == {"kept": True, "state": "ended"}
    assert client.post(PUSH, {"event": "hangup", "callId": "1", "cause": "forwarded"}).json()["kept"] is False


@pytest.mark.parametrize(
    ("body", "content_type", "status", "sentence"),
    [
        ({}, None, 422, "Say in “event” what happened"),
        ({"event": "ring", "callId": "1"}, None, 422, "newCall, answer or hangup"),
        ({"event": "newCall"}, None, 422, "Name the call in “callId”"),
        ({"event": "newCall", "callId": "x" * 129}, None, 422, "up to 128 characters"),
        ("{", "application/json", 400, "Send a form or a JSON object."),
        ("[1]", "application/json", 400, "Send a form or a JSON object."),
        (b"\xff", "application/json", 400, "Send a form or a JSON object."),
    ],
)
def test_bad_input_gets_a_sentence(client, body, content_type, status, sentence) -> None:  # S4
    answer = client.post(PUSH, body, **({"content_type": content_type} if content_type else {}))
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert not CallEvent.objects.exists()


def test_a_wrong_secret_looks_like_no_system(client) -> None:  # A3
    answers = [client.post(f"/calls/{name}/{secret}/") for name, secret in
               (("pbx", "wrong"), ("nobody", SECRET), ("unsigned", SECRET))]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert client.get(PUSH).status_code == 405


def test_strange_values_break_nothing(client, alone) -> None:  # S4
    for number, value in enumerate(("'; --", "😀" * 300, "9" * 500, "<b>")):
        answer = push(client, event="newCall", **{"from": value, "to": value, "callId": number})
        assert answer.status_code == 200
    answer = client.post(PUSH, {"event": "newCall", "callId": "a\0b", "from": "\0"}, content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("pbx=generic:short", "shorter than 20"),
        ("pbx=smoke:" + SECRET, "is not name=generic"),
        ("nonsense", "is not name=generic"),
    ],
)
def test_a_system_that_cannot_be_read_is_named_without_its_secret(line, problem) -> None:  # S4, Q5
    with override_settings(DESK_PHONE_SYSTEMS=[line]):
        (sentence,) = setting_problems()
        assert problem in sentence
        assert SECRET not in sentence
        assert phone_systems() == []


def test_names_of_systems_are_told_apart() -> None:  # S4
    assert list(setting_problems()) == []
    with override_settings(DESK_PHONE_SYSTEMS=[*SYSTEMS, SYSTEMS[0]]):
        assert list(setting_problems()) == ["Two systems in DESK_PHONE_SYSTEMS have the same name."]


# --- TwiML ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "signature"),
    [("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="), ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")],
)
def test_a_signature_is_that_of_the_carriers_documentation(number, signature) -> None:  # Q5
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {"CallSid": "CA1234567890ABCDE", "Caller": number, "Digits": "1234", "From": number, "To": "+18005551212"}
    assert is_signed("12345", url, fields, signature)
    assert not is_signed("12346", url, fields, signature)
    assert not is_signed("12345", url, {**fields, "Digits": "1"}, signature)
    assert not is_signed("12345", url, fields, "ü")


def steer(client: Client, step: str = "", **fields) -> ElementTree.Element:
    """What the desk tells the carrier to do, of a request that is signed as it should be."""
    fields = {"CallSid": "CA1", "From": NUMBER, "To": "+498001234567", **fields}
    path = STEER + (f"?step={step}" if step else "")
    text = f"https://desk.example.com{path}" + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
    answer = client.post(path, fields, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200, answer.content
    return ElementTree.fromstring(answer.content)


def said(response: ElementTree.Element) -> str:
    return " ".join(text for one in response.iter("Say") if (text := one.text))


def test_an_unsigned_request_is_refused(client) -> None:  # Q5
    assert client.post(STEER, {"CallSid": "CA1"}).status_code == 403
    assert not CallEvent.objects.exists()
    assert client.post(f"/calls/unsigned/{SECRET}x/", {"CallSid": "CA1"}).status_code == 200  # has no token
    assert client.post(f"/calls/unsigned/{SECRET}x/", {}).status_code == 422
    assert client.post(f"/calls/unsigned/{SECRET}x/?step=odd", {"CallSid": "CA1"}).status_code == 422


def test_a_caller_waits_hears_their_place_and_is_connected(client, alone) -> None:  # Q3, Q5, D7
    alone.technician.phone = "+44 20 7946 0018"
    alone.technician.save()
    response = steer(client)
    enqueue = response.find("Enqueue")
    assert "Thank you for calling" in said(response)
    assert enqueue.get("waitUrl") == f"https://desk.example.com{STEER}?step=wait"
    waits = steer(client, "wait")
    assert "You are number 1 in line." in said(waits)
    assert "minutes" not in said(waits)  # too few calls to reckon from
    assert waits.find("Gather").get("action").endswith("?step=key")
    take(QueueEntry.objects.get().pk, alone.technician, timezone.now())
    assert steer(client, "wait").find("Leave") is not None
    assert steer(client, "left", QueueResult="leave").find("Dial/Number").text == "+44 20 7946 0018"
    assert len(steer(client, "dialled", DialCallStatus="completed")) == 0
    assert QueueEntry.objects.get().ending == QueueEnding.SPOKEN


def test_a_technician_who_does_not_pick_up_loses_the_call_to_the_next(client, alone) -> None:  # Q2
    steer(client)
    take(QueueEntry.objects.get().pk, alone.technician, timezone.now())
    assert steer(client, "dialled", DialCallStatus="no-answer").find("Enqueue") is not None
    entry = QueueEntry.objects.get()
    assert (entry.state, entry.taken_at, entry.passed) == ("offered", None, {str(alone.technician.pk): 1})


def test_a_caller_presses_one_and_is_called_back(client, alone) -> None:  # Q3, T1
    steer(client)
    assert steer(client, "key", Digits="7").find("Gather") is not None
    assert steer(client, "key", Digits="1").find("Leave") is not None
    left = steer(client, "left", QueueResult="leave")
    assert "We will call you back by" in said(left)
    assert left.find("Hangup") is not None
    steer(client, CallStatus="completed")
    entry = QueueEntry.objects.get()
    assert (entry.is_callback, entry.state, entry.ending) == (True, "offered", "")


def test_who_hangs_up_in_the_line_and_is_known_is_called_back(client, alone) -> None:  # Q3
    steer(client)
    steer(client, "left", QueueResult="hangup")
    assert QueueEntry.objects.get().is_callback


def test_a_japanese_caller_hears_japanese_and_when_japanese_support_opens(client, alone) -> None:  # D2, Q3
    contact = alone.contact
    contact.language = "ja"
    contact.save()
    response = steer(client)
    assert response.find("Say").get("language") == "ja-JP"
    entry = QueueEntry.objects.get()
    night = timezone.now().replace(hour=20)
    queue = load_queue(night)
    assert "日本語" in announcements.greeting(queue, entry)
    assert "1" in announcements.while_waiting(queue, entry)
    assert "line" not in announcements.while_waiting(queue, entry)
