"""Telephone numbers as one is dialled from anywhere (E.164), so that a caller is found by theirs (Q1). Pure."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

#: Characters of a number that are looked at; the column of a number is no longer.
LONGEST_NUMBER = 40
#: So many last digits tell one support line from another, however it is written.
TELLING_DIGITS = 7


@lru_cache(maxsize=4096)
def in_e164(number: str, country: str) -> str:
    """“+442079460018” of “020 7946 0018” in GB; "" for what no telephone could dial.

    `country` is a two-letter code: where a number without the country's own prefix is dialled. A number beginning with
    + or 00 needs none.
    """
    written = number.strip()[:LONGEST_NUMBER]
    if written.startswith("00"):
        written = f"+{written[2:]}"
    try:
        found = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(found):
        return ""
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def as_written(number: str) -> str:
    """“+44 20 7946 0018” of “+442079460018”; what is no such number stays as it is."""
    try:
        found = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def country_of(number: str) -> str:
    """The two-letter code of the country of an E.164 number; "" if none can be told."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


def is_same_line(dialled: str, published: str) -> bool:
    """Whether somebody dialled a published number: both end in the same digits, whatever is written before them (D4).

    A line is published as it is dialled in its country, “(800) 085-3140”, and a carrier says “+448000853140”.
    """
    digits, line = (("".join(one for one in text if one.isdigit())).lstrip("0") for text in (dialled, published))
    shorter = min(digits, line, key=len)
    return len(shorter) >= TELLING_DIGITS and digits.endswith(shorter) and line.endswith(shorter)
