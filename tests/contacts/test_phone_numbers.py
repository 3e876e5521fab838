"""Telephone numbers as callers and lines are found by them (D4, Q1)."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps

from contacts.lines import PUBLISHED_LINES
from contacts.models import Contact, SupportLine
from contacts.phone_numbers import as_written, country_of, in_e164, is_same_line
from tests.support.builders import Desk


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("030 1234567", "DE", "+49301234567"),
        ("+44 (0)20 7946 0018", "DE", "+442079460018"),
        ("0044 20 7946 0018", "DE", "+442079460018"),
        ("03-5321-3111", "JP", "+81353213111"),
        ("(800) 546-5750", "US", "+18005465750"),
        ("030 1234567 ext. 12", "DE", "+49301234567"),
        ("anonymous", "DE", ""),
        ("", "DE", ""),
        ("+1", "US", ""),
        ("12", "", ""),
        ("9" * 400, "DE", ""),
    ],
)
def test_a_number_as_it_is_dialled_from_anywhere(number, country, expected) -> None:  # Q1
    assert in_e164(number, country) == expected


def test_a_number_as_people_read_it() -> None:  # Q1
    assert as_written("+442079460018") == "+44 20 7946 0018"
    assert as_written("anonymous") == "anonymous"
    assert country_of("+442079460018") == "GB"
    assert country_of("anonymous") == ""


@pytest.mark.parametrize(
    ("dialled", "line", "same"),
    [
        ("+448000853140", "(800) 085-3140", True),
        ("08000853140", "(800) 085-3140", True),
        ("18005465750", "(800) 546-5750", True),
        ("+33800944304", "(800) 944-304", True),
        ("+64050861704", "(050) 861-7047", False),
        ("+64508617047", "(050) 861-7047", True),
        ("5750", "(800) 546-5750", False),
        ("", "(800) 546-5750", False),
    ],
)
def test_the_line_that_was_dialled(dialled, line, same) -> None:  # D4
    assert is_same_line(dialled, line) == same


def test_published_lines_are_told_apart() -> None:  # D4
    for line in PUBLISHED_LINES:
        assert [one.name for one in PUBLISHED_LINES if is_same_line(line.number, one.number)] == [line.name]


def test_a_dialled_number_finds_its_line(db) -> None:  # D4
    for line in PUBLISHED_LINES:
        SupportLine.objects.create(**line._asdict())
    assert SupportLine.objects.dialled("+448000853140").country == "GB"
    assert SupportLine.objects.dialled("+12156641615").country == ""
    assert SupportLine.objects.dialled("+49301234567") is None


def test_numbers_of_contacts_and_companies_are_kept_in_step(desk: Desk) -> None:  # Q1
    contact = desk.contact
    contact.phone = "030 1234567"
    contact.save(update_fields=["phone"])
    contact.refresh_from_db()
    assert contact.phone_e164 == "+49301234567"
    company = desk.company
    company.country, company.time_zone, company.phone = "FR", "Europe/Paris", "01 23 45 67 89"
    company.save()
    contact.refresh_from_db()
    assert (company.phone_e164, contact.phone_e164) == ("+33123456789", "+33301234567")
    contact.phone = ""
    contact.save()
    assert contact.phone_e164 == ""


def test_the_migration_fills_in_what_is_there(desk: Desk) -> None:  # Q1
    Contact.objects.filter(pk=desk.contact.pk).update(phone="030 1234567")
    importlib.import_module("contacts.migrations.0004_phone_numbers").fill_in_numbers(apps, None)
    assert Contact.objects.get(phone_e164="+49301234567").pk == desk.contact.pk
