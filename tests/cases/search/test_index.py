"""The search documents are what rebuilding them would make, after every move; sweeps write none."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.enums import AgreedBy, Channel, Direction, Resolution, WaitReason
from cases.followup.apply import follow_up
from cases.models import Case, FollowUp, SearchDocument, UnindexedCase
from cases.search import index
from cases.search.query import search
from cases.tasks import index_words
from cases.workflow import contact_log, contract_questions, opening, transitions
from contacts.changes import directory_changed
from contacts.models import Company, Contact
from escalations.models import Escalation, SlaTarget
from escalations.points.apply import escalate
from escalations.questions import updates
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk
from tests.support.queries import queries_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def kept() -> dict[int, set[str]]:
    """The words in the documents, by case."""
    return {row.case_id: set(row.words.split()) for row in SearchDocument.objects.all()}


def assert_kept_up_to_date() -> None:
    before = kept()
    index.index_cases(list(Case.objects.values_list("pk", flat=True)))
    assert kept() == before


def finds(typed: str) -> list[int]:
    return search(Case.objects.all(), typed).keys


def test_every_move_that_brings_words_leaves_the_document_as_it_should_be(desk: Desk):
    case = desk.open_case(description="Since the thunderstorm", device="Laserjet")
    tech = desk.technician
    assert_kept_up_to_date()
    contact_log.log_contact(case.pk, tech, NOON, channel=Channel.NOTE, direction=Direction.INTERNAL, body="Ask Mallory")
    transitions.start_work(case.pk, tech, NOON)
    transitions.ask_customer(case.pk, tech, NOON, question="Which firmware?", reason=WaitReason.INFORMATION)
    assert_kept_up_to_date()
    contact_log.customer_responded(case.pk, tech, NOON, channel=Channel.EMAIL, body="Firmware nine")
    updates.send_status_update(case.pk, tech, NOON, text="Ordered a spare part", customer_too=True)
    assert_kept_up_to_date()
    transitions.edit_details(case.pk, tech, NOON, changes={"title": "Paper jam", "device": "Inkjet"})
    assert_kept_up_to_date()
    assert finds("laserjet") == finds("nobody print") == []
    agreed = {"resolution": Resolution.CONFIRMED, "agreed_by": AgreedBy.PHONE}
    transitions.resolve(case.pk, tech, NOON, **agreed, solution="Replaced the fuser", said="Wonderful, thanks")
    assert_kept_up_to_date()
    transitions.reopen(case.pk, tech, NOON, reason="Again")
    transitions.resolve(case.pk, tech, NOON + DAY, **agreed, solution="Replaced the drum")
    assert_kept_up_to_date()
    assert finds("fuser") == []
    for typed in ("mallory", "firmware nine", "spare part ordered", "drum jam inkjet", "wonderful"):
        assert finds(typed) == [case.pk], typed


def test_a_contract_question_noted_on_a_case_is_indexed(desk: Desk):
    case = desk.open_case()
    contract_questions.pass_on(
        desk.company, desk.contact, desk.technician, NOON, question="How many licences?", case=case
    )
    assert_kept_up_to_date()
    assert finds("licences") == [case.pk]


def test_the_names_of_files_are_indexed_with_the_contact_that_brings_them(desk: Desk):  # C3
    case = desk.open_case()
    other = Case(company=desk.company, contact=desk.contact, title="Another one")
    opening.open_case(
        other, desk.technician, NOON, attachments=[SimpleUploadedFile("crash-dump.log", b"It went wrong.\n")]
    )
    contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON,
        channel=Channel.NOTE,
        direction=Direction.INTERNAL,
        body="See there.",
        attachments=[SimpleUploadedFile("Spooler_trace.txt", b"It stood still.\n")],
    )
    assert finds("trace") == finds("see there spooler") == [case.pk]
    assert finds("crash dump") == [other.pk]
    assert_kept_up_to_date()


def test_sweeps_write_no_document(desk: Desk):
    case = desk.open_case()
    desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="?", reason=WaitReason.INFORMATION)
    with CaptureQueriesContext(connection) as queries:
        for day in range(8):
            for sweep in (escalate, keep_promises, follow_up):
                sweep(NOON + day * DAY)
    assert FollowUp.objects.exists()
    assert Escalation.objects.exists()
    assert SlaTarget.objects.exists()
    assert not [query["sql"] for query in queries if "search" in query["sql"]]
    assert_kept_up_to_date()


def test_what_is_said_costs_one_statement(desk: Desk):
    case = desk.open_case()
    assert queries_of(lambda: index.add_words(case.pk, "a word")) == 1
    assert queries_of(lambda: index.add_words(case.pk, "?!")) == 0


def test_a_missing_document_is_made_when_something_is_said(desk: Desk):
    case = desk.open_case()
    SearchDocument.objects.all().delete()
    assert finds("print") == []
    contact_log.log_contact(case.pk, desk.technician, NOON, channel=Channel.PHONE, direction=Direction.IN, body="Hello")
    assert finds("print hello") == [case.pk]


# --- names ------------------------------------------------------------------------------------------------------------


def renamed(row: Company | Contact, **names: str) -> None:
    for name, value in names.items():
        setattr(row, name, value)
    row.save()
    directory_changed([row], NOON)


def test_cases_follow_the_names_of_their_company_and_contact(desk: Desk):
    case = desk.open_case()
    contact = case.contact
    renamed(desk.company, name="Initech")
    renamed(contact, name="Milton", email="milton@initech.example.com")
    assert finds("milton initech") == [case.pk]
    assert finds("acme") == []
    assert not UnindexedCase.objects.exists()
    assert_kept_up_to_date()
    quiet = queries_of(lambda: directory_changed([desk.other_company], NOON))
    renamed(desk.company, time_zone="Europe/Paris")
    assert queries_of(lambda: directory_changed([desk.company], NOON)) == quiet


def test_the_many_cases_of_a_renamed_company_follow_in_the_background(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index, "AT_ONCE", 2)
    monkeypatch.setattr(index, "BATCH", 2)
    for _ in range(5):
        desk.open_case()
    renamed(desk.company, name="Initech")
    assert finds("initech") == []
    assert UnindexedCase.objects.count() == 5
    index_words()
    assert len(finds("initech")) == 5
    assert not UnindexedCase.objects.exists()
    assert_kept_up_to_date()


# --- all of them ------------------------------------------------------------------------------------------------------


def test_the_command_indexes_every_case_and_can_be_repeated(desk: Desk):
    for _ in range(3):
        desk.open_case()
    SearchDocument.objects.all().delete()
    for _ in range(2):
        out = StringIO()
        call_command("reindex_search", stdout=out)
        assert "3 cases are indexed" in out.getvalue()
        assert len(finds("print")) == 3
    out = StringIO()
    call_command("reindex_search", "--waiting", stdout=out)
    assert out.getvalue() == ""


def test_a_stopped_run_leaves_the_rest_for_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index, "BATCH", 2)
    for _ in range(5):
        desk.open_case()
    index.ask_to_index(Case.objects.all())
    index.ask_to_index(Case.objects.all())
    turns = iter([False, True])
    assert index.index_waiting(lambda: next(turns)) == 2
    assert UnindexedCase.objects.count() == 3
    assert index.index_waiting(lambda: False) == 3
