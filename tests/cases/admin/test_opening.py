"""Opening a case in the admin: for whom (D3, D9), continuing which (C4), how long its texts may be (S4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from cases.enums import Channel, Direction, Resolution
from cases.guards import LONGEST_TEXT, Refused
from cases.mail.phrases import in_english
from cases.models import Case, Interaction, Mail
from cases.workflow import contact_log, opening, transitions
from contacts.models import Contact, Technician
from tests.support.builders import NOON, Desk, build_technician, reload
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/cases/case/add/"


def call(desk: Desk, **typed: Any) -> dict[str, Any]:
    return {
        "company": desk.company.pk,
        "contact": desk.contact.pk,
        "opened_by_channel": "phone",
        "title": "Nobody can print",
        "several_devices": "unknown",
        **typed,
    }


def errors_of(desk: Desk, **typed: Any) -> dict[str, list[str]]:
    """What the opening form refuses; the case is not opened."""
    answer = signed_in(desk.technician).post(ADD, call(desk, **typed))
    assert answer.status_code == 200
    assert Case.objects.exclude(title="Earlier").count() == Mail.objects.exclude(case__title="Earlier").count() == 0
    return dict(answer.context["adminform"].form.errors)


def test_no_case_is_opened_for_a_company_that_left(desk: Desk):  # D9
    desk.company.active = False
    desk.company.save()
    assert "Acme is not active as a customer" in errors_of(desk)["company"][0]
    with pytest.raises(Refused, match="Acme is not active") as refused:
        desk.open_case()
    assert refused.value.field == "company"


def test_no_case_is_opened_for_a_contact_who_left_with_or_without_a_reason(desk: Desk):  # D9
    Contact.objects.filter(pk=desk.contact.pk).update(active=False)
    for despite in ("", "Their help desk is down."):
        assert "Help desk of Acme has left Acme" in errors_of(desk, opened_despite=despite)["contact"][0]
        with pytest.raises(Refused, match="has left Acme") as refused:
            desk.open_case(opened_despite=despite)
        assert refused.value.field == "contact"


def test_a_case_is_not_given_to_a_contact_who_left(desk: Desk):  # D9
    case = desk.open_case()
    gone = Contact.objects.create(company=desk.company, name="Gone", active=False)
    with pytest.raises(Refused, match="Gone has left Acme"):
        transitions.edit_details(case.pk, desk.technician, NOON, changes={"contact": gone})
    page = signed_in(desk.technician).get(case.get_absolute_url())
    assert gone not in page.context["adminform"].form.fields["contact"].queryset
    assert reload(case).contact == desk.contact


def test_whoever_left_stays_the_contact_of_their_case_until_another_is_chosen(desk: Desk):  # D9
    case = desk.open_case()
    Contact.objects.filter(pk=desk.contact.pk).update(active=False)
    page = signed_in(desk.technician).get(case.get_absolute_url())
    assert desk.contact in page.context["adminform"].form.fields["contact"].queryset
    transitions.edit_details(case.pk, desk.technician, NOON, changes={"device": "Printer 4"})
    assert reload(case).device == "Printer 4"


def test_a_case_continues_only_one_of_its_own_company(desk: Desk):  # C4
    earlier = desk.open_case(company=desk.other_company, title="Earlier")
    assert f"{earlier.number} is a case of another company" in str(errors_of(desk, linked_to=earlier.pk))
    with pytest.raises(Refused, match="of another company"):
        desk.open_case(linked_to=earlier)
    own = desk.open_case(title="Earlier")
    assert desk.open_case(linked_to=own).linked_to == own


# --- who gets it (C6, C8) ---------------------------------------------------------------------------------------


def test_whoever_opens_a_case_may_keep_it_whatever_their_level(desk: Desk):  # C8, C1
    client = signed_in(desk.l3)
    answer = client.post(ADD, call(desk, assign="me"), follow=True)
    case = Case.objects.get()
    assert f"{case.number} is open; it is yours." in answer.content.decode()
    assert case.owner == desk.l3
    row = case.history.get()
    assert row.history_change_reason == "Opened by phone; assigned: kept by who opened it."
    (mail,) = Mail.objects.all()  # nobody is told of a case that is theirs by their own choice
    assert (mail.template, mail.facts["case"]["owner"]) == ("case_opened", "l3")
    assert in_english(mail.facts["next"]) == "l3 takes it up, and we keep you informed."
    assert desk.l3.technician.last_case_at is None
    assert Technician.objects.get(user=desk.l3).last_case_at == case.opened_at


@pytest.mark.parametrize("assign", [{}, {"assign": ""}])
def test_the_desk_chooses_unless_whoever_opens_it_keeps_it(desk: Desk, assign: dict[str, str]):  # C6, C8
    signed_in(desk.l3).post(ADD, call(desk, **assign))
    assert Case.objects.get().owner == desk.technician
    assert sorted(Mail.objects.values_list("template", flat=True)) == ["case_opened", "new_case"]


def test_a_choice_that_the_form_does_not_offer_is_refused(desk: Desk):  # S4
    assert "Select a valid choice" in errors_of(desk, assign="somebody")["assign"][0]


def test_the_form_says_whom_the_desk_would_choose(desk: Desk):  # C8, D2
    client = signed_in(desk.l3)
    for _ in range(2):
        desk.open_case(title="Earlier")
    assert "The desk chooses (tech, 2 open)" in client.get(ADD).content.decode()
    kenji = build_technician(desk.centre, name="kenji", languages=["de"])
    desk.open_case(title="Earlier")
    Case.objects.filter(owner=kenji).update(owner=desk.technician)
    Technician.objects.filter(user=kenji).update(last_case_at=None)
    Case.objects.update(owner=kenji)
    assert "The desk chooses (tech, 0 open)" in client.get(ADD).content.decode()
    Contact.objects.filter(pk=desk.contact.pk).update(language="de")
    earlier = Case.objects.first()
    assert "The desk chooses (kenji, 3 open)" in client.get(f"{ADD}?linked_to={earlier.pk}").content.decode()
    Technician.objects.all().delete()
    assert "The desk chooses<" in client.get(ADD).content.decode()


# --- contacts as they are suggested (D3) ------------------------------------------------------------------------


def suggestions(desk: Desk, **asked: Any) -> dict[str, Any]:
    answer = signed_in(desk.technician).get(reverse("admin:cases_case_contacts"), asked)
    return {row["text"].split(" (")[0]: row for row in answer.json()["results"]}


def test_a_suggested_contact_brings_the_company_and_says_who_may_not_open_a_case(desk: Desk):  # D3
    rows = suggestions(desk)
    assert rows["Help desk of Acme"]["company"] == {"id": str(desk.company.pk), "text": "Acme"}
    assert rows["Help desk of Acme"]["refusal"] == ""
    assert opening.turn_away_sentence(desk.end_user) in rows["End user of Acme"]["refusal"]


def test_nobody_is_suggested_who_left_or_whose_company_did(desk: Desk):  # D9
    Contact.objects.filter(pk=desk.end_user.pk).update(active=False)
    desk.other_company.active = False
    desk.other_company.save()
    assert set(suggestions(desk)) == {"Help desk of Acme"}


def test_suggestions_cost_the_same_whatever_their_number(desk: Desk, django_assert_max_num_queries: Any):
    for number in range(15):
        Contact.objects.create(company=desk.other_company, name=f"End user {number}")
    client = signed_in(desk.technician)
    with django_assert_max_num_queries(5):
        client.get(reverse("admin:cases_case_contacts"))


# --- bounds of texts (S4) ---------------------------------------------------------------------------------------

TOO_LONG = "x" * (LONGEST_TEXT + 1)


@pytest.mark.parametrize("field", ["description", "system_information"])
def test_a_text_that_is_too_long_is_refused_at_the_opening_and_in_the_details(desk: Desk, field: str):  # S4
    assert "at most 20,000 are kept" in errors_of(desk, **{field: TOO_LONG})[field][0]
    with pytest.raises(Refused, match="20,001 characters"):
        desk.open_case(**{field: TOO_LONG})
    case = desk.open_case(title="Earlier")
    with pytest.raises(Refused, match="20,001 characters"):
        transitions.edit_details(case.pk, desk.technician, NOON, changes={field: TOO_LONG})


@pytest.mark.parametrize(
    ("slug", "typed"),
    [
        ("add_note", "body"),
        ("log_contact", "body"),
        ("ask_customer", "question"),
        ("resolve", "solution"),
        ("resolve", "said"),
        ("change_severity", "reason"),
        ("request_escalation", "impact"),
        ("give_update", "text"),
    ],
)
def test_no_button_takes_a_text_that_is_too_long(desk: Desk, slug: str, typed: str):  # S4
    case = desk.open_case()
    address = reverse("admin:cases_case_do", args=[case.pk, slug])
    answer = signed_in(desk.technician).post(address, {typed: TOO_LONG})
    assert answer.status_code == 422
    assert "at most 20,000 are kept" in answer.context["form"].errors[typed][0]
    assert TOO_LONG in answer.content.decode()


def test_no_move_takes_a_text_that_is_too_long(desk: Desk):  # S4
    case, before = desk.open_case(), Interaction.objects.count()
    with pytest.raises(Refused, match="20,001 characters"):
        contact_log.log_contact(
            case.pk, desk.technician, NOON, channel=Channel.NOTE, direction=Direction.INTERNAL, body=TOO_LONG
        )
    for words in ({"solution": TOO_LONG}, {"said": TOO_LONG}):
        with pytest.raises(Refused, match="20,001 characters"):
            transitions.resolve(case.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED, **words)
    assert Interaction.objects.count() == before
    assert reload(case).is_open


def test_the_longest_text_is_taken(desk: Desk):  # S4
    case = desk.open_case()
    contact_log.log_contact(
        case.pk, desk.technician, NOON, channel=Channel.NOTE, direction=Direction.INTERNAL, body="x" * LONGEST_TEXT
    )
    assert signed_in(desk.technician).get(case.get_absolute_url()).status_code == 200
