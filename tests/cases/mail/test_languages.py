"""Each reader is written to in their own language; what people wrote stays as it is (M4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import get_language, override

from cases.enums import Channel, Direction, WaitReason
from cases.mail.messages import MESSAGES, Readers
from cases.mail.outbox import deliver
from cases.mail.phrases import and_names, in_english, in_words, phrase
from cases.mail.rendering import as_message, render
from cases.models import Case, Mail
from cases.workflow import contact_log, transitions
from contacts.enums import Language
from contacts.models import Company, Contact
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_company

HOUR = timedelta(hours=1)


@pytest.fixture
def nippon(db: None) -> Company:
    """A customer in Japan whose language is Japanese."""
    return build_company("Nippon", country="JP", time_zone="Asia/Tokyo", language=Language.JAPANESE)


def ask(case: Case, desk: Desk, *copies: Contact) -> None:
    words = {"question": "Which printer?", "reason": WaitReason.INFORMATION, "copies": copies}
    transitions.ask_customer(case.pk, desk.technician, NOON, **words)


@pytest.mark.parametrize(
    ("own", "of_company", "reads"),
    [
        ("", Language.JAPANESE, "ja"),
        (Language.JAPANESE, Language.ENGLISH, "ja"),
        (Language.ENGLISH, Language.JAPANESE, "en"),
        (Language.GERMAN, Language.JAPANESE, "en"),  # the desk writes no German
        ("", Language.FRENCH, "en"),
    ],
)
def test_a_contact_reads_their_own_language_as_far_as_the_desk_writes_it(own: str, of_company: str, reads: str) -> None:
    assert Contact(language=own, company=Company(language=of_company)).reads == reads


def test_mail_to_customers_is_in_their_language_and_mail_to_staff_in_english(desk: Desk, nippon: Company) -> None:
    desk.open_case(company=nippon, actor=desk.manager)
    keep_promises(NOON + 8 * HOUR)
    languages = set(Mail.objects.values_list("template", "language"))
    assert languages == {(name, "ja" if MESSAGES[name].to is Readers.CUSTOMER else "en") for name, _ in languages}
    assert {name for name, _ in languages} >= {"case_opened", "status_update", "new_case", "staff_lines"}


def test_a_colleague_who_is_copied_reads_their_own_language(desk: Desk, nippon: Company) -> None:  # C3
    case = desk.open_case(company=nippon)
    own = {"email": "jane@nippon.example.com", "language": Language.ENGLISH}
    ask(case, desk, Contact.objects.create(company=nippon, name="Jane", is_help_desk=True, **own))
    english, japanese = Mail.objects.filter(template="question").order_by("language")
    assert (english.to_name, japanese.to_name) == ("Jane", "Help desk of Nippon")
    assert "You get this because you belong to the help desk of Nippon." in render(english).text
    assert "お客様が本件のご連絡窓口となっているため、お送りしております。" in render(japanese).text
    assert all("Which printer?" in render(mail).text for mail in (english, japanese))


def test_the_facts_are_frozen_and_the_language_with_them(desk: Desk, nippon: Company) -> None:  # M1
    case = desk.open_case(company=nippon)
    Company.objects.update(language=Language.ENGLISH)
    deliver(lambda: NOON)
    kept = Mail.objects.get(template="case_opened")
    assert kept.subject == f"[{case.number}] お問い合わせを受け付けました：Nobody can print"
    assert "担当のtechが対応いたします。進捗は随時ご連絡いたします。" in kept.text


def test_times_and_lengths_are_written_as_in_japan(desk: Desk, nippon: Company) -> None:
    desk.open_case(company=nippon)
    text = render(Mail.objects.get(template="case_opened")).text
    assert "お電話でお問い合わせいただきましたので、2026年6月3日（水）23:00（日本時間）までに担当者より" in text
    assert (
        "少なくとも8時間ごとに対応状況をご報告いたします。初回のご報告は、2026年6月4日（木）05:00（日本時間）" in text
    )


def test_the_html_names_its_language_and_its_typefaces(desk: Desk, nippon: Company) -> None:
    desk.open_case(company=nippon)
    mail = Mail.objects.get(template="case_opened")
    html = render(mail).html
    assert '<html lang="ja">' in html
    assert "Hiragino Sans" in html
    assert "様<br><br>いつもお世話になっております。" in html
    assert as_message(mail, render(mail)).message()["Content-Language"] == "ja"
    mail.language = "en"
    assert '<html lang="en">' in render(mail).html
    assert "Hiragino" not in render(mail).html


def test_words_of_people_are_not_translated(desk: Desk, nippon: Company) -> None:
    """Not even where somebody wrote a sentence that the catalogue knows."""
    case = desk.open_case(company=nippon, title="Nothing for now.")
    contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON,
        channel=Channel.EMAIL,
        direction=Direction.OUT,
        body="We keep you informed.",
        send=True,
    )
    rendered = render(Mail.objects.get(template="message"))
    assert "Nothing for now." in rendered.subject
    assert "\nWe keep you informed.\n" in rendered.text
    assert "進捗は随時ご連絡いたします。" in rendered.text


def test_a_language_that_the_desk_does_not_write_is_replaced_by_english(desk: Desk) -> None:
    desk.open_case()
    mail = Mail.objects.get(template="case_opened")
    mail.language = "xx"
    assert "Kind regards," in render(mail).text


def test_rendering_leaves_the_language_of_the_page_as_it_was(desk: Desk, nippon: Company) -> None:
    desk.open_case(company=nippon)
    render(Mail.objects.get(template="case_opened"))
    assert get_language() == "en"


def test_pages_of_staff_are_english_whatever_the_browser_asks_for(desk: Desk, nippon: Company, client: Client) -> None:
    case = desk.open_case(company=nippon)
    client.force_login(desk.manager)
    for page in (reverse("admin:index"), case.get_absolute_url(), reverse("admin:cases_mail_changelist")):
        asked = client.get(page, headers={"accept-language": "ja,ja-JP;q=0.9"})
        assert '<html lang="en"' in asked.text, page
        assert 'lang="ja"' not in asked.text, page


def test_a_phrase_is_put_in_words_with_what_fills_it_and_everything_else_is_left_alone() -> None:
    work = phrase("%(work)s, and we keep you informed.", work=phrase("%(owner)s takes it up", owner="100 % Tina"))
    facts = {"next": work, "said": "We keep you informed.", "list": [phrase("Nothing for now."), 3]}
    assert in_english(facts) == {
        "next": "100 % Tina takes it up, and we keep you informed.",
        "said": "We keep you informed.",
        "list": ["Nothing for now.", 3],
    }
    with override("ja"):
        japanese = in_words(facts)
    assert japanese["next"] == "担当の100 % Tinaが対応いたします。進捗は随時ご連絡いたします。"
    assert japanese["said"] == "We keep you informed."


@pytest.mark.parametrize(
    ("names", "listed"), [(["Ann"], "Ann"), (["Ann", "Bob"], "Ann and Bob"), (["Ann", "Bob", "Cy"], "Ann, Bob and Cy")]
)
def test_names_are_listed(names: list[str], listed: str) -> None:
    assert in_english(and_names(names)) == listed
