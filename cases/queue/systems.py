"""The telephone systems that may tell the desk of calls: one line each in the settings (Q5).

`name=generic:SECRET` for a PBX or a bridge that pushes events, `name=twiml:SECRET:TOKEN` for a carrier that asks the
desk what to do with a call. They stand in the settings and not in rows, because they hold secrets: nobody reads or
changes them in the admin.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

GENERIC, TWIML = "generic", "twiml"
SHORTEST_SECRET = 20
_SYSTEM = re.compile(r"(?P<name>[a-z0-9-]{1,40})=(?P<kind>[a-z]+):(?P<secret>[A-Za-z0-9_-]+)(:(?P<token>\S+))?")


@dataclass(frozen=True)
class PhoneSystem:
    """A telephone system: its name, how it speaks, the secret of its address, and with what it signs."""

    name: str
    kind: str
    secret: str
    token: str = ""


def phone_systems() -> list[PhoneSystem]:
    """Those that are set up; what could not be read is left out, and a system check says so."""
    read = (_SYSTEM.fullmatch(line.strip()) for line in settings.DESK_PHONE_SYSTEMS)
    systems = [PhoneSystem(one["name"], one["kind"], one["secret"], one["token"] or "") for one in read if one]
    return [one for one in systems if one.kind in (GENERIC, TWIML) and len(one.secret) >= SHORTEST_SECRET]


def system_at(name: str, secret: str) -> PhoneSystem | None:
    """The system of that name if the secret is its; compared in constant time."""
    found = None
    for system in phone_systems():
        is_it = hmac.compare_digest(system.secret.encode(), secret.encode("utf-8", "replace"))
        found = system if is_it and system.name == name else found
    return found


def setting_problems() -> Iterator[str]:
    """A sentence for each line that could not be read; none of them repeats a secret (S4)."""
    for place, line in enumerate(settings.DESK_PHONE_SYSTEMS, start=1):
        one = _SYSTEM.fullmatch(line.strip())
        if one is None or one["kind"] not in (GENERIC, TWIML):
            yield f"Entry {place} of DESK_PHONE_SYSTEMS is not name=generic:SECRET or name=twiml:SECRET:TOKEN."
        elif len(one["secret"]) < SHORTEST_SECRET:
            yield f"The secret of “{one['name']}” in DESK_PHONE_SYSTEMS is shorter than {SHORTEST_SECRET} characters."
    names = [system.name for system in phone_systems()]
    if len(set(names)) < len(names):
        yield "Two systems in DESK_PHONE_SYSTEMS have the same name."
