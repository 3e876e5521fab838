"""What a customer reads and does on the support page (P2 to P5, C3, C4, C7, E9, F5)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.enums import Channel, Direction, Resolution, Severity, Status, WaitReason
from cases.models import Absence, Attachment, Case, Interaction, Mail, Refusal
from cases.workflow import transitions
from cases.workflow.contact_log import log_contact
from contacts.enums import Language
from contacts.models import Contact
from escalations.enums import Origin, RequestStatus
from escalations.models import EscalationRequest
from tests.support.builders import Desk, reload
from tests.support.customers import signed_in_customer

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def page_of(client: Client, case: Case) -> str:
    return client.get(f"/support/cases/{case.pk}/").content.decode()


def once_of(page: str, form: str = "answerform") -> str:
    return re.search(rf'name="once" value="([^"]+)"[^>]*id="{form}_once"', page)[1]


def send(client: Client, case: Case, act: str, form: str, **fields: Any) -> Any:
    once = once_of(page_of(client, case), form)
    return client.post(f"/support/cases/{case.pk}/{act}/", {"once": once, **fields}, follow=True)


# --- reading (P2, C3) ------------------------------------------------------------------------------------------------


def test_the_page_shows_what_the_customer_may_read_and_nothing_else(customer: Client, desk: Desk) -> None:
    now = timezone.now() - HOUR
    case = desk.open_case(
        now, title="Printer of room 8", description="WRITTEN-BY-US", system_information="INSIDE-SYSTEM"
    )
    note = {"channel": Channel.NOTE, "direction": Direction.INTERNAL}
    log_contact(case.pk, desk.technician, now, body="SECRET-NOTE", **note)
    log_contact(
        case.pk, desk.technician, now, channel=Channel.PHONE, direction=Direction.OUT, body="SECRET-CALL", reached=True
    )
    log_contact(case.pk, desk.technician, now, channel=Channel.PHONE, direction=Direction.IN, body="SECRET-TAKEN")
    log_contact(
        case.pk, desk.technician, now, channel=Channel.EMAIL, direction=Direction.OUT, body="We look at it.", send=True
    )
    log_contact(
        case.pk, desk.technician, now, channel=Channel.PHONE, direction=Direction.OUT, body="Meant for you.",
        for_customer=True,
    )  # fmt: skip
    Refusal.objects.create(company=desk.company, caller="SECRET-CALLER", at=now, told="no")
    page = page_of(customer, case)
    assert "Printer of room 8" in page
    assert case.number in page
    assert "We look at it." in page
    assert "Meant for you." in page
    assert "Received" in page
    assert str(desk.technician) in page
    assert "Next update by" in page
    for inside in ("SECRET", "WRITTEN-BY-US", "INSIDE-SYSTEM", "/admin", desk.manager.email, str(desk.manager)):
        assert inside not in page, inside


def test_a_call_that_we_wrote_down_is_a_line_without_its_words(customer: Client, desk: Desk) -> None:  # C3
    case = desk.open_case()
    log_contact(
        case.pk, desk.technician, timezone.now(), channel=Channel.PHONE, direction=Direction.OUT, body="HIDDEN",
        reached=False,
    )  # fmt: skip
    page = page_of(customer, case)
    assert "We called and left a message" in page
    assert "HIDDEN" not in page


def test_a_file_is_read_with_its_words_or_not_at_all(customer: Client, desk: Desk) -> None:  # P2, C3
    case = desk.open_case()

    def log(body: str, **more: Any) -> Attachment:
        file = SimpleUploadedFile(f"{body}.txt", b"What it says.")
        row = log_contact(
            case.pk, desk.technician, timezone.now(), channel=Channel.EMAIL, direction=Direction.OUT, body=body,
            attachments=[file], **more,
        )  # fmt: skip
        return row.attachments.get()

    ours, inside = log("sent", send=True), log("kept")
    page = page_of(customer, case)
    assert "sent.txt" in page
    assert "kept.txt" not in page
    address = f"/support/cases/{case.pk}/files"
    answer = customer.get(f"{address}/{ours.pk}/sent.txt")
    assert b"".join(answer.streaming_content) == b"What it says."
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert customer.get(f"{address}/{inside.pk}/kept.txt").status_code == 404


def test_a_case_of_another_company_does_not_exist(customer: Client, desk: Desk) -> None:  # P2, A1
    foreign = desk.open_case(company=desk.other_company, title="Of Globex")
    assert customer.get(f"/support/cases/{foreign.pk}/").status_code == 404
    for act in ("answer", "solved", "not-before", "escalate"):
        assert customer.post(f"/support/cases/{foreign.pk}/{act}/", {"once": "1", "words": "x"}).status_code == 404
    assert "Of Globex" not in customer.get("/support/?state=all").content.decode()
    assert "Of Globex" not in customer.get("/support/?q=Globex").content.decode()
    assert not Interaction.objects.filter(case=foreign, by=None, opened_the_case=False).exists()


def test_whoever_is_not_signed_in_signs_in_first(desk: Desk) -> None:  # P1
    case = desk.open_case()
    for path in ("/support/", "/support/cases/new/", f"/support/cases/{case.pk}/"):
        assert Client().get(path)["Location"].startswith("/support/sign-in/")


def test_the_page_costs_the_same_with_few_and_many_entries(customer: Client, desk: Desk) -> None:
    case = desk.open_case()

    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert customer.get(path).status_code == 200
        return len(asked)

    page, listed = cost(f"/support/cases/{case.pk}/"), cost("/support/")
    for number in range(12):
        desk.open_case(title=f"Another {number}")
        log_contact(
            case.pk, desk.technician, timezone.now(), channel=Channel.EMAIL, direction=Direction.OUT,
            body=f"Word {number}", send=True,
        )  # fmt: skip
    assert cost(f"/support/cases/{case.pk}/") <= page
    assert cost("/support/") <= listed


# --- searching (P5) --------------------------------------------------------------------------------------------------


def test_an_old_case_is_found_by_what_was_said_to_them_in_any_order(customer: Client, desk: Desk) -> None:  # P5
    old = timezone.now() - timedelta(days=3 * 365)
    case = desk.open_case(old, title="Mail is slow")
    log_contact(
        case.pk, desk.technician, old, channel=Channel.EMAIL, direction=Direction.OUT, send=True,
        body="The quota of the archive volume was exhausted.",
    )  # fmt: skip
    transitions.start_work(case.pk, desk.technician, old)
    transitions.resolve(
        case.pk, desk.technician, old, resolution=Resolution.NOT_PURSUED, solution="Empty the archive volume."
    )
    for typed in ("volume exhausted quota", "SLOW mail", case.number, "empty archive"):
        assert "Mail is slow" in customer.get("/support/", {"q": typed}).content.decode(), typed
    assert "Mail is slow" not in customer.get("/support/", {"q": "volume", "state": "open"}).content.decode()
    assert "Mail is slow" not in customer.get("/support/", {"q": "volume", "since": "2026-01-01"}).content.decode()


def test_words_that_stay_inside_find_nothing(customer: Client, desk: Desk) -> None:  # P2, P5
    case = desk.open_case(title="Printer", description="blunderbuss")
    log_contact(
        case.pk, desk.technician, timezone.now(), channel=Channel.NOTE, direction=Direction.INTERNAL,
        body="cantankerous",
    )  # fmt: skip
    for inside in ("blunderbuss", "cantankerous"):
        assert "Printer" not in customer.get("/support/", {"q": inside}).content.decode()


def test_the_list_is_narrowed_by_state_person_and_time(customer: Client, desk: Desk) -> None:  # P5
    of_colleague, closed = desk.open_case(title="Of Bo"), desk.open_case(title="Over and done")
    colleague = Contact.objects.create(company=desk.company, name="Bo Berg", email="bo@acme.example", is_help_desk=True)
    Case.objects.filter(pk=of_colleague.pk).update(contact=colleague)
    transitions.start_work(closed.pk, desk.technician, timezone.now())
    transitions.resolve(closed.pk, desk.technician, timezone.now(), resolution=Resolution.NOT_PURSUED)
    everything = customer.get("/support/", {"state": "all"}).content.decode()
    assert "Of Bo" in everything
    assert "Over and done" in everything
    assert "Over and done" not in customer.get("/support/").content.decode()
    assert "Of Bo" not in customer.get("/support/", {"state": "closed"}).content.decode()
    of_bo = customer.get("/support/", {"state": "all", "contact": colleague.pk}).content.decode()
    assert "Of Bo" in of_bo
    assert "Over and done" not in of_bo
    assert "No case fits" in customer.get("/support/", {"until": "2001-01-01"}).content.decode()


@pytest.mark.parametrize("odd", ["?page=abc", "?page=99999", "?since=x", "?contact=7x", "?state=none"])
def test_an_odd_address_is_no_error(customer: Client, desk: Desk, odd: str) -> None:  # S4
    assert customer.get(f"/support/{odd}").status_code == 200


# --- writing (P4) ----------------------------------------------------------------------------------------------------


def test_an_answer_ends_the_wait_and_is_logged_as_theirs(customer: Client, desk: Desk) -> None:  # P4, F6, C3
    case = desk.open_case()
    transitions.ask_customer(
        case.pk, desk.technician, timezone.now(), question="Which model?", reason=WaitReason.INFORMATION
    )
    page = page_of(customer, case)
    assert "We wait for your answer" in page
    assert "Which model?" in page
    file = SimpleUploadedFile("label.txt", b"K-200")
    answer = send(customer, case, "answer", "answerform", words="It is the K-200.", attachments=file)
    assert "your message has arrived" in answer.content.decode()
    said = Interaction.objects.get(case=case, channel=Channel.PAGE)
    assert (said.direction, said.by, said.contact, said.body) == (
        Direction.IN, None, desk.contact, "It is the K-200.",
    )  # fmt: skip
    assert said.attachments.get().name == "label.txt"
    assert reload(case).status == Status.IN_PROGRESS
    assert "It is the K-200." in page_of(customer, case)
    assert "label.txt" in page_of(customer, case)
    assert Mail.objects.filter(case=case, template="contact_logged", to_address=desk.technician.email).count() == 1


def test_a_form_that_is_sent_twice_acts_once(customer: Client, desk: Desk) -> None:  # S4
    case = desk.open_case()
    once = once_of(page_of(customer, case))
    for _ in range(2):
        customer.post(f"/support/cases/{case.pk}/answer/", {"once": once, "words": "Still broken."})
    assert Interaction.objects.filter(case=case, channel=Channel.PAGE).count() == 1


def test_a_refused_form_keeps_what_was_typed_and_may_be_sent_again(customer: Client, desk: Desk) -> None:  # S4
    case = desk.open_case()
    answer = send(
        customer, case, "answer", "answerform", words="With a program.",
        attachments=SimpleUploadedFile("run.exe", b"MZ" + b"\0" * 64),
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "We cannot take run.exe" in page
    assert "With a program." in page
    once = once_of(page)
    customer.post(f"/support/cases/{case.pk}/answer/", {"once": once, "words": "Without it."})
    assert Interaction.objects.get(case=case, channel=Channel.PAGE).body == "Without it."


def test_solved_closes_where_we_asked_for_it(customer: Client, desk: Desk) -> None:  # P4, C4
    case = desk.open_case()
    transitions.ask_customer(
        case.pk, desk.technician, timezone.now(), question="Does the new driver help?", reason=WaitReason.CONFIRM
    )
    assert "Yes, this solved it" in page_of(customer, case)
    send(customer, case, "solved", "solvedform", words="")
    now = reload(case)
    assert (now.status, now.resolution, now.agreed_by) == (Status.RESOLVED, Resolution.CONFIRMED, "page")
    assert now.solution == "Does the new driver help?"
    assert Interaction.objects.get(case=case, channel=Channel.PAGE).body == "This solved it."
    assert Mail.objects.filter(case=case, template="contact_logged", to_address=desk.technician.email).exists()
    assert "Solved" in page_of(customer, case)


def test_solved_is_a_word_to_the_owner_where_we_did_not_ask(customer: Client, desk: Desk) -> None:  # P4, C4
    case = desk.open_case()
    page = send(customer, case, "solved", "solvedform", words="A restart did it.").content.decode()
    assert "as soon as its specialist has read this" in page
    assert reload(case).is_open
    assert Interaction.objects.get(case=case, channel=Channel.PAGE).body == "A restart did it."


def test_a_word_after_the_closing_is_flagged(customer: Client, desk: Desk) -> None:  # C7
    case = desk.open_case()
    transitions.start_work(case.pk, desk.technician, timezone.now())
    transitions.resolve(case.pk, desk.technician, timezone.now(), resolution=Resolution.NOT_PURSUED)
    send(customer, case, "answer", "answerform", words="It is back.")
    assert Interaction.objects.get(case=case, channel=Channel.PAGE).needs_answer


def test_a_day_before_which_they_cannot_act_is_an_absence(customer: Client, desk: Desk) -> None:  # F5, P4
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, timezone.now(), question="?", reason=WaitReason.INFORMATION)
    day = timezone.localdate() + timedelta(days=9)
    send(customer, case, "not-before", "notbeforeform", day=day.isoformat(), words="Audit")
    absence = Absence.objects.get(case=case)
    assert (absence.back_on, absence.noted_by) == (day, None)
    assert reload(case).status == Status.WAITING
    late = send(customer, case, "not-before", "notbeforeform", day=date(2001, 1, 1).isoformat())
    assert "Choose a day after today" in late.content.decode()
    assert Absence.objects.count() == 1


def test_a_request_to_escalate_is_theirs_and_goes_to_manager_and_am(customer: Client, desk: Desk) -> None:  # E9, P4
    case = desk.open_case(severity=Severity.HIGH)
    page = send(customer, case, "escalate", "escalateform", impact="The till is down.", reason="It is Saturday.")
    assert "You hear their decision" in page.content.decode()
    request = EscalationRequest.objects.get(case=case)
    assert (request.origin, request.status, request.requested_by) == (Origin.CUSTOMER, RequestStatus.REQUESTED, None)
    assert (request.asked_by, request.impact) == (desk.contact.name, "The till is down.")
    mails = {mail.to_address: mail.template for mail in Mail.objects.filter(case=case, template__contains="escalation")}
    assert mails == {
        desk.manager.email: "escalation_request",
        desk.account_manager.email: "escalation_asked_for",
    }
    again = send(customer, case, "escalate", "escalateform", impact="Other", reason="Other")
    assert again.status_code == 422
    assert "not possible as the case stands now" in again.content.decode()
    assert EscalationRequest.objects.count() == 1


# --- opening (P3) ----------------------------------------------------------------------------------------------------

NEW = {"title": "Till is slow", "description": "Since this morning.", "affected": "many", "impact": "minor"}


def test_a_case_is_reviewed_then_opened_once(customer: Client, desk: Desk) -> None:  # P3, C1, C2, T1
    desk.open_case(title="Till slow in room 8")
    form = customer.get("/support/cases/new/").content.decode()
    once = once_of(form, "opencaseform")
    review = customer.post("/support/cases/new/", {**NEW, "once": once}).content.decode()
    assert "We take this as <strong>High</strong>" in review
    assert "Till slow in room 8" not in review  # it has not all of the words
    assert Case.objects.count() == 1
    for _ in range(2):
        answer = customer.post("/support/cases/new/", {**NEW, "once": once, "send": "1"}, follow=True)
    case = Case.objects.get(title="Till is slow")
    assert case.number in answer.content.decode()
    assert (case.company, case.contact, case.opened_by, case.opened_by_channel) == (
        desk.company, desk.contact, None, Channel.PAGE,
    )  # fmt: skip
    assert (case.severity, case.severity_is_provisional) == (Severity.HIGH, True)
    receipt = Mail.objects.get(case=case, template="case_opened")
    assert receipt.to_address == desk.contact.email
    assert "response_by_at" not in receipt.facts or not receipt.facts["response_by_at"]  # it was not phoned in


def test_cases_that_look_alike_are_shown_before_it_is_sent(customer: Client, desk: Desk) -> None:  # P3
    desk.open_case(title="The till is slow again")
    desk.open_case(title="Till is slow", company=desk.other_company)
    review = customer.post("/support/cases/new/", {**NEW, "once": "one"}).content.decode()
    assert "The till is slow again" in review
    assert review.count("Till is slow") == 1  # their own title, in the form


def test_what_is_missing_is_said_and_nothing_is_lost(customer: Client, desk: Desk) -> None:  # S4
    answer = customer.post("/support/cases/new/", {"title": "", "description": "Long story", "once": "1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Say in one line what it is about." in page
    assert "Long story" in page
    changed = customer.post("/support/cases/new/", {**NEW, "once": "1", "change": "1"}).content.decode()
    assert "Since this morning." in changed
    assert not Case.objects.exists()


def test_the_page_is_japanese_for_who_reads_japanese(desk: Desk) -> None:  # P7
    Contact.objects.filter(pk=desk.contact.pk).update(language=Language.JAPANESE)
    customer = signed_in_customer(Contact.objects.get(pk=desk.contact.pk))
    case = desk.open_case()
    for path in ("/support/", "/support/cases/new/", f"/support/cases/{case.pk}/"):
        page = customer.get(path).content.decode()
        assert 'lang="ja"' in page
        assert re.search(r"[\u3040-\u30ff]", page)
        for english in ("Open a case", "Received", "Your specialist", "Please escalate", "What happens?"):
            assert english not in page, (path, english)
