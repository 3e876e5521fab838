"""Every message with sample facts, in every language of its reader, and the pages that show it (M4, A1)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.template import engines
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.mail.messages import MESSAGES, Readers, message_label
from cases.mail.rendering import Rendered, render
from cases.mail.samples import PURPOSES, sample_facts, sample_mail
from cases.models import Mail
from cases.workflow import contract_questions
from contacts.enums import Role
from contacts.models import User
from tests.cases.mail.test_messages import every_message, said_in
from tests.support.builders import NOON, Desk, build_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TO_CUSTOMERS = [name for name, message in MESSAGES.items() if message.to is Readers.CUSTOMER]
ENGLISH_AND_JAPANESE = [(name, "en") for name in MESSAGES] + [(name, "ja") for name in TO_CUSTOMERS]
LIST = "admin:cases_mail_previews"
#: Names and abbreviations that stand in a Japanese message as they are.
AS_THEY_ARE = {"Tina", "Berg", "Omar", "Haddad", "SD", "OS", "International", "UTC", "KB"}
#: Facts that choose other sentences than the sample of the message does.
OTHERWISE: list[tuple[str, dict[str, Any]]] = [
    ("case_opened", {"questions": [], "response_by_at": "", "updates_every": "", "japanese_opens_at": ""}),
    *(
        ("question", {"reason": reason})
        for reason in ("Customer cannot address it now", "Asked to confirm the solution")
    ),
    ("resolved", {"solution": ""}),
    *((name, {"question": ""}) for name in ("notice_1", "notice_2", "notice_final", "attempt", "attempt_last")),
    *((name, {"again": True}) for name in ("notice_final", "closing_announced")),
    *(("attempt", {"number": number}) for number in ("second", "third")),
    *(
        ("status_update", {"said": "", "besides": [], "contact": contact})
        for contact in ("spoke", "chatted", "wrote to you", "tried to reach you by phone")
    ),
    *(("status_update", facts) for facts in ({"late": True}, {"owned": False}, {"working": False})),
    ("escalation_request_accepted", {"by_customer": False, "attention": True}),
    ("escalation_request_declined", {"by_customer": False}),
    ("message", {"files": [{"id": 1, "name": "log.txt", "size": 2048}]}),
]


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> str:
    """What a template shows for a variable that it has not got."""
    monkeypatch.setattr(engines["django"].engine, "string_if_invalid", "<<missing>>")
    return "missing"


def words_of(rendered: Rendered) -> list[str]:
    """The Latin words of a message, in all its parts."""
    text = unescape(" ".join((rendered.subject, rendered.text, said_in(rendered.html)))).replace("log.txt", "")
    return re.findall(r"[A-Za-z]{2,}", text)


def test_every_message_has_a_purpose_and_a_sample() -> None:
    assert set(PURPOSES) == set(MESSAGES)
    assert all(sample_facts(name) for name in MESSAGES)


@pytest.mark.parametrize(("name", "language"), ENGLISH_AND_JAPANESE)
def test_a_sample_renders_with_nothing_missing(name: str, language: str, missing: str) -> None:
    rendered = render(sample_mail(name, language))
    for part in (rendered.subject, rendered.text, rendered.html):
        assert missing not in part
        assert not re.search(r"None|{{|%\(|\(\)", said_in(part) if "<body" in part else part)


def frozen(value: Any) -> Any:
    """The keys of facts, and their phrases; what fills them, and what else they say, is of the occasion."""
    if isinstance(value, dict):
        return {name: frozen(each) for name, each in value.items() if name != "phrase"}
    return [frozen(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else ""


def test_the_samples_have_the_facts_of_the_messages_that_moves_write(desk: Desk) -> None:
    row = contract_questions.pass_on(desk.company, desk.contact, desk.technician, NOON, question="How much?")
    real = every_message(desk) | {
        mail.template: mail for mail in Mail.objects.filter(key__startswith=f"contract:{row.pk}")
    }
    varying = {"also_to", "sections", "others", "accepted", "besides", "questions", "next", "why", "expected"}
    for name, mail in real.items():
        sample = {key: value for key, value in sample_facts(name).items() if key not in varying}
        assert frozen(sample) == frozen({key: value for key, value in mail.facts.items() if key not in varying}), name
        missing = {"why", "expected", "next"} - set(sample_facts(name))
        assert not missing, name


@pytest.mark.parametrize(("name", "more"), [*((name, {}) for name in TO_CUSTOMERS), *OTHERWISE])
def test_a_customer_who_reads_japanese_reads_no_english(name: str, more: dict[str, Any]) -> None:
    mail = sample_mail(name, "ja")
    mail.facts |= more
    rendered = render(mail)
    assert set(words_of(rendered)) - AS_THEY_ARE == set()
    assert "ため、お送りしております。" in rendered.text  # the reason completes its sentence


def test_without_an_owner_the_japanese_says_that_one_is_looked_for() -> None:
    mail = sample_mail("status_update", "ja")
    mail.facts["case"]["owner"] = "nobody yet"
    assert "担当者：手配中" in render(mail).text


def test_a_sample_is_written_in_the_language_and_the_zone_of_its_reader() -> None:
    receipt = sample_mail("case_opened", "ja")
    assert (receipt.language, receipt.time_zone) == ("ja", "Asia/Tokyo")
    to_staff = sample_mail("new_case", "ja", "Europe/Paris")
    assert (to_staff.language, to_staff.time_zone) == ("en", "Europe/Paris")
    assert "Wed 3 June 2026, 15:00 (Paris, UTC+02:00)" in render(to_staff).text


# --- the pages ---


@pytest.fixture
def manager(desk: Desk, client: Client) -> Client:
    client.force_login(desk.manager)
    return client


def test_the_list_names_every_message_and_what_it_is_for(manager: Client) -> None:
    page = manager.get(reverse(LIST)).text
    for name in MESSAGES:
        assert f'href="{reverse("admin:cases_mail_preview", args=[name])}">{message_label(name)}</a>' in page, name
    assert page.count("<dd>") == len(MESSAGES)


def test_the_page_of_a_message_shows_it_in_its_languages_and_writes_nothing(manager: Client) -> None:
    for name, message in MESSAGES.items():
        to_customers = message.to is Readers.CUSTOMER
        with CaptureQueriesContext(connection) as queries:
            page = manager.get(reverse("admin:cases_mail_preview", args=[name])).text
        assert PURPOSES[name] in unescape(page), name
        assert page.count('<iframe sandbox="" srcdoc="') == (4 if to_customers else 2), name
        assert ('>Japanese: <span lang="ja">' in page) == to_customers, name
        wrote = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        assert [sql for sql in wrote if "django_session" not in sql] == [], name
    assert not Mail.objects.exists()


def test_a_message_that_there_is_not_is_not_found(manager: Client) -> None:  # S4
    assert manager.get(reverse("admin:cases_mail_preview", args=["notice_9"])).status_code == 404


@pytest.mark.parametrize("role", [*Role, "administrator"])
def test_administrators_and_support_managers_see_the_previews_and_nobody_else(  # A1
    role: Role | str, desk: Desk, client: Client
) -> None:
    may = role in (Role.SUPPORT_MANAGER, "administrator")
    user = User.objects.create_superuser("root") if role == "administrator" else build_user(role)
    client.force_login(user)
    assert ("Message previews" in client.get(reverse("admin:index")).text) == may
    for page in (reverse(LIST), reverse("admin:cases_mail_preview", args=["question"])):
        assert client.get(page).status_code == (200 if may else 403), page
        assert client.post(page).status_code == 405, page


def test_strangers_are_asked_to_sign_in(client: Client) -> None:  # A1
    assert client.get(reverse(LIST)).status_code == 302
