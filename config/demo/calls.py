"""The calls of the demonstration's last hours: spoken, missed, to be called back, and waiting (section 10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from cases.enums import CallEventKind
from cases.queue.events import ToldEvent, take_event
from contacts.models import Contact, SupportLine, Technician

PROVIDER = "demo"
#: How long ago the calls came that were spoken; long enough ago that nobody wraps up any more.
SPOKEN_AGO = tuple(timedelta(minutes=minutes) for minutes in (310, 264, 221, 187, 140, 96, 61, 33))
#: Somebody nobody knows hung up, two contacts did, and two callers wait.
STRANGER = ("+12155550123", timedelta(minutes=78))
HUNG_UP_AGO = (timedelta(minutes=52), timedelta(minutes=17))
WAITING_AGO = (timedelta(minutes=4), timedelta(minutes=1))


def play_calls(now: datetime, chance: Random) -> None:
    """Let the calls come in as a telephone system would have told of them."""
    callers = list(Contact.objects.help_desk().exclude(phone_e164="").order_by("pk"))
    lines = list(SupportLine.objects.order_by("pk"))
    crew = [one.user.username for one in Technician.objects.filter(on_duty=True).select_related("user").order_by("pk")]
    if not callers or not crew:
        return

    def tell(call: str, kind: CallEventKind, at: datetime, number: str, leg: str = "") -> None:
        line = lines[len(call) % len(lines)] if lines else None
        take_event(ToldEvent(PROVIDER, call, kind, leg, number, line.number if line else ""), at)

    for place, ago in enumerate(SPOKEN_AGO):
        number, began = callers[place % len(callers)].phone_e164, now - ago
        answered = began + timedelta(seconds=chance.randint(5, 150))
        call = f"spoken-{place}"
        tell(call, CallEventKind.ARRIVED, began, number)
        tell(call, CallEventKind.ANSWERED, answered, number, crew[place % len(crew)])
        tell(call, CallEventKind.ENDED, answered + timedelta(minutes=chance.randint(3, 16)), number)
    number, ago = STRANGER
    tell("stranger", CallEventKind.ARRIVED, now - ago, number)
    tell("stranger", CallEventKind.ENDED, now - ago + timedelta(seconds=70), number)
    for place, ago in enumerate(HUNG_UP_AGO):
        number = callers[-1 - place].phone_e164
        tell(f"gone-{place}", CallEventKind.ARRIVED, now - ago, number)
        tell(f"gone-{place}", CallEventKind.ENDED, now - ago + timedelta(minutes=2), number)
    for place, ago in enumerate(WAITING_AGO):
        number = callers[(place * 3 + 1) % len(callers)].phone_e164
        tell(f"waits-{place}", CallEventKind.ARRIVED, now - ago, number)
