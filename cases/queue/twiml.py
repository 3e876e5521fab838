"""Carriers that ask the desk what to do with a call, in TwiML: Twilio, Telnyx (TeXML), SignalWire (cXML) (Q5).

The carrier plays and connects, the desk decides: who is in line hears their place again and again; once a technician
has taken the call the caller leaves the carrier's queue and is connected with that technician's telephone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings

from cases.enums import CallEventKind, QueueState
from cases.models import QueueEntry
from cases.queue import announcements
from cases.queue.apply import not_connected
from cases.queue.events import ToldEvent, take_event
from cases.queue.generic import LONGEST_ID, LONGEST_PART, BadCall
from cases.queue.state import load_queue

#: What a carrier calls the end of a call.
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
#: Seconds between two announcements, and for which a technician's telephone rings.
PAUSE, RING = 10, 20

#: The address of a step, by its name.
Address = Callable[[str], str]


def is_signed(token: str, url: str, fields: Mapping[str, str], signature: str) -> bool:
    """Whether the carrier that shares the token sent exactly this (`X-Twilio-Signature`)."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    expected = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def answer(provider: str, step: str, fields: Mapping[str, str], address: Address, now: datetime) -> bytes:
    """What the carrier does next with the call. Raises BadCall."""
    call_id = fields.get("CallSid", "").strip()
    if not call_id or len(call_id) > LONGEST_ID:
        raise BadCall("Name the call in “CallSid”.")

    def tell(kind: CallEventKind) -> QueueEntry | None:
        number, dialled = (fields.get(name, "")[:LONGEST_PART] for name in ("From", "To"))
        outgoing = fields.get("Direction", "").startswith("outbound")
        return take_event(ToldEvent(provider, call_id, kind, "", number, dialled, is_outgoing=outgoing), now)

    known = QueueEntry.objects.filter(provider=provider, call_id=call_id)
    if step == "key" and fields.get("Digits") == "1":
        return _leave(tell(CallEventKind.CALLBACK))
    if step in ("wait", "key"):
        return _wait(known.select_related("company").first(), address, now)
    if step == "left":
        entry = known.select_related("technician", "company").first()
        if fields.get("QueueResult") == "hangup" and entry is not None:
            tell(CallEventKind.ENDED)
        return _after_the_line(entry, address, now)
    if step == "dialled" and fields.get("DialCallStatus") not in ("completed", "answered"):
        entry = known.first()
        if entry is not None:
            not_connected(entry.pk, now)
        return _enqueue(entry, address, now)
    if step == "dialled" or fields.get("CallStatus") in OVER:
        tell(CallEventKind.ENDED)
        return _document(Element("Response"))
    return _enqueue(tell(CallEventKind.ARRIVED), address, now)


def _document(response: Element) -> bytes:
    return tostring(response, encoding="utf-8", xml_declaration=True)


def _say(parent: Element, entry: QueueEntry, text: str) -> None:
    voice = announcements.VOICES[announcements.heard_language(entry.language)]
    SubElement(parent, "Say", language=voice).text = text


def _enqueue(entry: QueueEntry | None, address: Address, now: datetime) -> bytes:
    response = Element("Response")
    if entry is None or entry.state == QueueState.ENDED:
        SubElement(response, "Hangup")
        return _document(response)
    _say(response, entry, announcements.greeting(load_queue(now), entry))
    SubElement(response, "Enqueue", waitUrl=address("wait"), action=address("left"), method="POST").text = "support"
    return _document(response)


def _wait(entry: QueueEntry | None, address: Address, now: datetime) -> bytes:
    """Announce the place, and listen for a key; whoever is not in line any more leaves."""
    if entry is None or entry.is_callback or entry.state not in (QueueState.WAITING, QueueState.OFFERED):
        return _leave(entry)
    response = Element("Response")
    gather = SubElement(response, "Gather", numDigits="1", action=address("key"), method="POST", timeout=str(PAUSE))
    _say(gather, entry, announcements.while_waiting(load_queue(now), entry))
    SubElement(response, "Redirect", method="POST").text = address("wait")
    return _document(response)


def _leave(entry: QueueEntry | None) -> bytes:
    response = Element("Response")
    SubElement(response, "Leave")
    return _document(response)


def _after_the_line(entry: QueueEntry | None, address: Address, now: datetime) -> bytes:
    """Connect whoever was taken with the technician's telephone; say to whoever is called back by when."""
    response = Element("Response")
    technician = entry.technician if entry is not None and entry.state == QueueState.TALKING else None
    if entry is not None and technician is not None and technician.phone and not entry.is_callback:
        _say(response, entry, announcements.connecting(entry))
        dial = SubElement(response, "Dial", action=address("dialled"), method="POST", timeout=str(RING))
        SubElement(dial, "Number").text = technician.phone
        return _document(response)
    if entry is not None and entry.is_callback and entry.due_at is not None:
        zone = entry.company.time_zone if entry.company else settings.TIME_ZONE
        _say(response, entry, announcements.will_be_called(entry, entry.due_at, zone))
    SubElement(response, "Hangup")
    return _document(response)
