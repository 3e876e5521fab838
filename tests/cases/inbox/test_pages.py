"""The pages of received mail: who sees what, what is suggested and decided, what is given out (A1, M5, M7)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.enums import Door, MatchedBy, ReceivedKind, ReceivedOutcome, TriageDecision
from cases.inbox.receive import receive
from cases.inbox.triage import carry_out, decide
from cases.models import Case, ReceivedMail
from contacts.models import Contact
from tests.support.builders import NOON, Desk, build_user
from tests.support.mails import raw_mail
from tests.support.pages import BY_SCRIPT, signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
STRANGER = "Bob Bell <bob@elsewhere.example>"
LIST = reverse("admin:cases_receivedmail_changelist")
UNDO = reverse("admin:cases_receivedmail_undo")


@pytest.fixture(autouse=True)
def _noon(settings: Any, tmp_path: Path, time_machine: Any) -> None:
    settings.DESK_FILES_DIR = tmp_path / "files"
    time_machine.move_to(NOON, tick=False)


def came_in(sender: str = STRANGER, at: datetime = NOON, raw: bytes = b"", **words: Any) -> ReceivedMail:
    """The row of a message that waits in triage."""
    mail = receive(raw or raw_mail(sender=sender, **words), at, door=Door.COMMAND).mail
    assert mail.outcome == ReceivedOutcome.TRIAGE
    return mail


def on_case(mail: ReceivedMail, case: Case) -> ReceivedMail:
    """The message as if it were known to belong to a case."""
    ReceivedMail.objects.filter(pk=mail.pk).update(
        case=case, matched_by=MatchedBy.ADDRESS, outcome=ReceivedOutcome.NOTHING
    )
    return ReceivedMail.objects.get(pk=mail.pk)


def page_of(mail: ReceivedMail, **query: str) -> str:
    return (
        reverse("admin:cases_receivedmail_change", args=[mail.pk])
        + ("?" if query else "")
        + "&".join(f"{name}={value}" for name, value in query.items())
    )


def part_of(mail: ReceivedMail, what: str, *more: Any) -> str:
    return reverse(f"admin:cases_receivedmail_{what}", args=[mail.pk, *more])


def text_of(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, (answer.status_code, address)
    return answer.content.decode()


def decides(client: Client, mail: ReceivedMail, decision: str, **about: Any) -> str:
    """Press a button of the page; what the page says then."""
    answer = client.post(part_of(mail, "decide"), {"decision": decision, **about}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# --- who sees what ----------------------------------------------------------------------------------------------------

READS_ALL = ("technician", "l3", "manager", "administrator")
READS_SOME = ("account_manager", "customer_engineer", "csm", "director", "coo")


def somebody(desk: Desk, who: str) -> Any:
    return build_user("", "root", is_superuser=True) if who == "administrator" else getattr(desk, who)


@pytest.mark.parametrize("who", [*READS_ALL, *READS_SOME, "other_account_manager"])
def test_each_role_sees_its_messages_and_no_other(desk: Desk, who: str) -> None:  # A1, M5
    waits = came_in(subject="In triage")
    own = on_case(came_in(subject="On a case", text="Own."), desk.open_case())
    client = signed_in(somebody(desk, who))
    sees_waiting, sees_own = who in READS_ALL, who != "other_account_manager"
    found = text_of(client, f"{LIST}?tab=everything")
    assert ("In triage" in found, "On a case" in found) == (sees_waiting, sees_own)
    for mail, sees in ((waits, sees_waiting), (own, sees_own)):
        addresses = [page_of(mail), part_of(mail, "html"), part_of(mail, "raw")]
        expected = [200, 200, 200 if who == "administrator" else 403] if sees else [404] * 3
        assert [client.get(address).status_code for address in addresses] == expected
    decided = client.post(part_of(waits, "decide"), {"decision": "dismiss"}).status_code
    assert decided == (302 if sees_waiting else 404)
    assert client.post(part_of(own, "decide"), {"decision": "dismiss"}).status_code == (
        302 if sees_waiting else 403 if sees_own else 404
    )
    assert client.post(UNDO, {"mail": waits.pk}).status_code == (302 if sees_waiting else 403)
    assert ("tab=triage" in found) is sees_waiting


def test_a_page_only_reads_for_who_does_not_work_cases(desk: Desk) -> None:  # A1
    mail = on_case(came_in(), desk.open_case())
    page = text_of(signed_in(desk.account_manager), page_of(mail))
    assert "It hangs again." in page
    assert part_of(mail, "decide") not in page
    assert UNDO not in page


def test_nobody_who_is_not_signed_in_sees_anything(desk: Desk) -> None:  # A1
    mail = came_in()
    for what in ("html", "raw", "find"):
        assert signed_in(None).get(part_of(mail, what)).status_code == 302
    assert signed_in(None).post(part_of(mail, "decide"), {"decision": "dismiss"}).status_code == 302
    assert ReceivedMail.objects.in_triage().get() == mail


def test_decisions_come_by_post(desk: Desk) -> None:  # A2
    mail, client = came_in(), signed_in(desk.technician)
    assert client.get(part_of(mail, "decide")).status_code == 405
    assert client.get(UNDO).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(desk.technician)
    assert strict.post(part_of(mail, "decide"), {"decision": "dismiss"}).status_code == 403
    assert ReceivedMail.objects.in_triage().get() == mail


# --- the list ---------------------------------------------------------------------------------------------------------


def test_triage_stands_first_with_its_number_the_oldest_at_the_top(desk: Desk) -> None:  # M5
    came_in(subject="Younger", at=NOON - MINUTE)
    came_in(subject="Oldest", at=NOON - 5 * MINUTE)
    on_case(came_in(subject="Known"), desk.open_case())
    page = text_of(signed_in(desk.technician), LIST)
    assert re.search(r'aria-current="page">Triage <span class="desk-count">2</span>', page)
    assert page.index("Oldest") < page.index("Younger")
    assert "Known" not in page
    assert 'class="desk-count"' not in text_of(signed_in(desk.technician), f"{LIST}?tab=triage&q=Oldest")


def test_each_tab_holds_its_kind(desk: Desk) -> None:
    for kind in ReceivedKind:
        mail = came_in(subject=f"Kind {kind.value}.", text=kind.value)
        ReceivedMail.objects.filter(pk=mail.pk).update(kind=kind)
    gone = came_in(subject="Gone.", text="Spam")
    ReceivedMail.objects.filter(pk=gone.pk).update(outcome=ReceivedOutcome.DISMISSED)
    client = signed_in(desk.technician)

    def under(tab: str) -> set[str]:
        return set(re.findall(r">(?:Kind )?(\w+)\.</span>", text_of(client, f"{LIST}?tab={tab}")))

    assert under("not_delivered") == {"bounce", "delay"}
    assert under("out_of_office") == {"out_of_office"}
    assert under("automatic") == {"automatic"}
    assert under("dismissed") == {"Gone"}
    assert under("everything") == {*ReceivedKind, "Gone"}
    assert under("triage") == set(ReceivedKind)
    assert under("nonsense") == set(ReceivedKind)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("bob@elsewhere", {"One", "Two"}), ("one bell", {"One"}), ("<two@x.example>", {"Two"}), ("zzz", set())],
)
def test_mail_is_found_by_sender_subject_and_message_id(desk: Desk, typed: str, expected: set[str]) -> None:
    came_in(subject="One")
    came_in(subject="Two", message_id="<two@x.example>")
    page = signed_in(desk.technician).get(LIST, {"q": typed}).content.decode()
    assert set(re.findall(r">(One|Two)</span>", page)) == expected


def test_selected_messages_are_dismissed_and_can_be_brought_back(desk: Desk, time_machine: Any) -> None:  # M5
    mails = [came_in(text=str(number)) for number in range(3)]
    client = signed_in(desk.technician)
    keys = [mail.pk for mail in mails]
    page = client.post(LIST, {"action": "dismiss_selected", "_selected_action": keys[:2]}, follow=True).content.decode()
    assert "Dismisses 2 messages at 12:00:20." in page
    assert ReceivedMail.objects.in_triage().count() == 1
    client.post(UNDO, {"mail": keys[:2], "from": "list"})
    assert ReceivedMail.objects.in_triage().count() == 3
    client.post(LIST, {"action": "dismiss_selected", "_selected_action": keys})
    carry_out(NOON + 20 * SECOND)
    assert ReceivedMail.objects.filter(outcome=ReceivedOutcome.DISMISSED).count() == 3
    assert "Dismisses" not in text_of(client, LIST)
    client.post(UNDO, {"mail": keys[0], "from": "page"})
    assert ReceivedMail.objects.in_triage().get().pk == keys[0]


def test_account_managers_select_nothing(desk: Desk) -> None:  # A1
    on_case(came_in(), desk.open_case())
    assert "dismiss_selected" not in text_of(signed_in(desk.account_manager), LIST)


# --- the page of a message --------------------------------------------------------------------------------------------


def test_the_page_says_who_what_and_why(desk: Desk) -> None:  # M6, M7
    mail = came_in(text="It hangs.\n\nOn Wed, Support wrote:\n> Since when?\n> Regards")
    page = text_of(signed_in(desk.technician), page_of(mail))
    assert "Bob Bell" in page
    assert "bob@elsewhere.example" in page
    assert "The sender is not proven." in page
    assert mail.why
    assert mail.why in page.replace("&#x27;", "'")
    own, _, folded = page.partition('<details class="desk-quoted">')
    assert "It hangs." in own
    assert "Since when?" not in own
    assert "Since when?" in folded


def test_the_sender_their_help_desk_and_their_cases_are_suggested(desk: Desk) -> None:  # M5
    own = desk.open_case(title="Theirs")
    closed = desk.open_case(title="Named")
    foreign = desk.open_case(title="Foreign", company=desk.other_company)
    mail = came_in(sender=f"Ann <{desk.contact.email}>", subject=f"Re: {closed.number} and {foreign.number}")
    page = text_of(signed_in(desk.technician), page_of(mail))
    assert "Has the sender" in page
    assert f'Attach<span class="desk-unseen"> to {own.number}' in page
    assert page.index("Its number stands in the subject") < page.index("Open case of Help desk of Acme")
    assert "Foreign" not in page
    stranger = text_of(signed_in(desk.technician), page_of(came_in()))
    assert "Nobody with this address" in stranger


def test_a_stranger_with_the_domain_of_a_customer_is_led_to_their_help_desk(desk: Desk) -> None:  # D3
    mail = came_in(sender="New <new@acme.example.com>")
    Contact.objects.filter(company=desk.company).update(email="desk@acme.example.com")
    case = desk.open_case(title="Of the same company")
    client = signed_in(desk.technician)
    page = text_of(client, page_of(mail))
    assert "an address of the same domain" in page
    assert case.title in page
    assert "a Support Manager can add them" in page
    manager = text_of(signed_in(desk.manager), page_of(mail))
    (address,) = re.findall(r'href="(/admin/contacts/contact/add/[^"]+)"', manager)
    form = text_of(signed_in(desk.manager), address.replace("&amp;", "&"))
    assert 'value="new@acme.example.com"' in form
    assert f'value="{desk.company.pk}" selected' in form


def test_a_domain_of_many_companies_says_nothing(desk: Desk) -> None:
    for number in range(4):
        company = type(desk.company).objects.create(name=f"C{number}", country="DE", time_zone="Europe/Berlin")
        Contact.objects.create(company=company, name=f"P{number}", email=f"p{number}@mail.example", is_help_desk=True)
    page = text_of(signed_in(desk.technician), page_of(came_in(sender="X <x@mail.example>")))
    assert "Nobody with this address, and no customer with this domain" in page


def test_another_case_and_another_person_are_found(desk: Desk) -> None:
    mail, case = came_in(), desk.open_case(title="The blue printer", company=desk.other_company)
    client = signed_in(desk.technician)
    for answer in (
        client.get(page_of(mail), {"case": "blue"}),
        client.get(part_of(mail, "find"), {"case": "blue"}, headers=BY_SCRIPT),
    ):
        assert f"to {case.number}" in answer.content.decode()
    found = client.get(part_of(mail, "find"), {"person": "globex help"}, headers=BY_SCRIPT).content.decode()
    assert "for Help desk of Globex" in found
    assert "No contact with these words" in client.get(part_of(mail, "find"), {"person": "zzz"}).content.decode()
    assert "No case with these words" in client.get(part_of(mail, "find"), {"case": "zzz"}).content.decode()


def test_a_decision_says_what_happens_when_and_can_be_undone(desk: Desk) -> None:  # M5
    mail, other, client = came_in(), came_in(subject="The next one"), signed_in(desk.technician)
    page = decides(client, mail, "open", contact=desk.contact.pk)
    assert "Opens a case for Help desk of Acme at 12:00:20." in page
    assert page_of(other) in page  # on to the next
    assert part_of(mail, "decide") not in page
    assert "Opens a case for Help desk of Acme at 12:00:20." in text_of(client, LIST)
    answer = client.post(UNDO, {"mail": mail.pk, "from": "page"}, follow=True).content.decode()
    assert "The message waits in triage again; nothing else has happened." in answer
    assert part_of(mail, "decide") in answer
    carry_out(NOON + MINUTE)
    assert not Case.objects.exists()


def test_a_second_click_changes_nothing_and_says_so(desk: Desk) -> None:  # M5
    mail, client = came_in(), signed_in(desk.technician)
    decides(client, mail, "open", contact=desk.contact.pk)
    again = decides(client, mail, "open", contact=desk.contact.pk)
    assert "tech was faster" in again
    carry_out(NOON + MINUTE)
    assert Case.objects.count() == 1
    late = client.post(UNDO, {"mail": mail.pk, "from": "page"}, follow=True).content.decode()
    assert "It is too late to undo this" in late
    assert "It has opened" in late


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({}, "This field is required."),
        ({"decision": "burn"}, "Choose what to do."),
        ({"decision": "attach"}, "Choose the case"),
        ({"decision": "attach", "case": "12345678901234567890123"}, "There is no such case"),
        ({"decision": "open", "contact": "x"}, "There is no such contact"),
    ],
)
def test_odd_posts_get_a_sentence(desk: Desk, posted: dict[str, str], sentence: str) -> None:  # S4
    mail = came_in()
    answer = signed_in(desk.technician).post(part_of(mail, "decide"), posted, follow=True)
    assert sentence in answer.content.decode()
    assert ReceivedMail.objects.in_triage().get() == mail


@pytest.mark.parametrize("key", ["0", "99999999999999999999999", "x", "1/../2"])
def test_odd_addresses_are_not_found(desk: Desk, key: str) -> None:  # A3
    client = signed_in(desk.technician)
    assert client.get(f"{LIST}{key}/change/").status_code == 404
    assert client.post(UNDO, {"mail": key}).status_code == 302


# --- files and HTML ---------------------------------------------------------------------------------------------------


def with_html(html: str, text: str = "Plain words.") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = STRANGER, "support@support-desk.example.com", "Hello"
    message["Message-ID"] = f"<{abs(hash(html))}@x.example>"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return bytes(message)


def test_files_are_listed_and_given_out_as_downloads_only(desk: Desk) -> None:  # C3, M7
    mail = came_in(files={"log.txt": b"line\n", "page.html": b"<script>alert(1)</script>", "x.exe": b"MZ\x90"})
    client = signed_in(desk.technician)
    page = text_of(client, page_of(mail))
    assert "log.txt" in page
    assert page.count("a case does not keep it") == 2
    answer = client.get(part_of(mail, "file", 1, "page.html"))
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert client.get(part_of(mail, "file", 1, "log.txt")).status_code == 404
    assert client.get(part_of(mail, "file", 9, "log.txt")).status_code == 404
    assert signed_in(desk.account_manager).get(part_of(mail, "file", 0, "log.txt")).status_code == 404


def test_the_raw_message_is_for_administrators(desk: Desk) -> None:
    mail = came_in(raw=b"From: a@b.example\r\nSubject: Raw\r\n\r\nWords.")
    root = signed_in(build_user("", "root", is_superuser=True))
    assert part_of(mail, "raw") in text_of(root, page_of(mail))
    answer = root.get(part_of(mail, "raw"))
    assert b"".join(answer.streaming_content) == b"From: a@b.example\r\nSubject: Raw\r\n\r\nWords."
    assert answer["Content-Disposition"] == f'attachment; filename="message-{mail.pk}.eml"'
    assert part_of(mail, "raw") not in text_of(signed_in(desk.technician), page_of(mail))


def test_a_message_whose_file_is_gone_is_shown_without_it(desk: Desk, settings: Any, tmp_path: Path) -> None:  # S4
    mail = came_in(files={"log.txt": b"line\n"})
    settings.DESK_FILES_DIR = tmp_path / "elsewhere"
    client = signed_in(desk.technician)
    page = text_of(client, page_of(mail))
    assert "not on the desk&#x27;s disk any more" in page
    assert "It hangs again." in page
    for what in ("html", "file"):
        more = (0, "log.txt") if what == "file" else ()
        assert client.get(part_of(mail, what, *more)).status_code == 404


def test_html_is_shown_only_when_it_is_asked_for(desk: Desk) -> None:  # M7
    mail = came_in(raw=with_html("<p>Rich <b>words</b>.</p>"))
    client = signed_in(desk.technician)
    assert "<iframe" not in text_of(client, page_of(mail))
    page = text_of(client, page_of(mail, html="1"))
    assert f'<iframe sandbox="" src="{part_of(mail, "html")}"' in page
    answer = client.get(part_of(mail, "html"))
    assert "<p>Rich <b>words</b>.</p>" in answer.content.decode()
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'self'" in policy
    assert "Show it as HTML" not in text_of(client, page_of(came_in(text="Only text.")))


# --- price ------------------------------------------------------------------------------------------------------------


def test_the_list_costs_the_same_however_long_it_is(desk: Desk) -> None:
    client = signed_in(desk.technician)

    def fill(number: int) -> None:
        for place in range(number):
            mail = came_in(text=f"{number} {place}")
            on_case(came_in(text=f"Known {number} {place}"), desk.open_case())
            if place % 2:
                decide(mail.pk, TriageDecision.DISMISS, desk.l3, NOON + place * SECOND)

    fill(2)
    few = [queries_of_page(client, f"{LIST}?tab={tab}") for tab in ("triage", "everything")]
    fill(9)
    assert [queries_of_page(client, f"{LIST}?tab={tab}") for tab in ("triage", "everything")] == few
    assert max(few) <= 9


def test_the_page_costs_the_same_whatever_is_suggested(desk: Desk) -> None:
    client = signed_in(desk.technician)
    mail = came_in(sender=f"Ann <{desk.contact.email}>", files={"a.txt": b"x"})
    desk.open_case()
    few = queries_of_page(client, page_of(mail))
    for number in range(6):
        desk.open_case(title=f"Case {number}")
    for number in range(6):
        Contact.objects.create(company=desk.company, name=f"P{number}", is_help_desk=True)
    assert queries_of_page(client, page_of(mail)) == few
    assert few <= 12
