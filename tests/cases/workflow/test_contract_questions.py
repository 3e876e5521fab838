"""Questions about contracts and bills go to the account manager, and open no technical case (D6)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from cases.guards import NotAllowed, Refused
from cases.mail.rendering import render
from cases.models import Case, ContractQuestion, Interaction, Mail
from cases.workflow import opening
from cases.workflow.contract_questions import pass_on
from contacts.models import Contact, User
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/cases/contractquestion/add/"
ASKED = "Why is the June bill higher?"


def mails() -> dict[str, Mail]:
    return {mail.template: mail for mail in Mail.objects.filter(template__startswith="contract_question")}


def test_a_question_goes_to_the_account_manager_and_the_customer_hears_who_answers(desk: Desk):  # D6
    answer = signed_in(desk.technician).post(
        ADD, {"company": desk.company.pk, "contact": desk.end_user.pk, "question": ASKED}, follow=True
    )
    assert "The question is passed on to am; the customer is told." in answer.content.decode()
    row = ContractQuestion.objects.get()
    assert (row.company, row.contact, row.question, row.by) == (desk.company, desk.end_user, ASKED, desk.technician)
    assert not Case.objects.exists()
    to_am, to_customer = mails()["contract_question"], mails()["contract_question_passed_on"]
    assert to_am.to_address == desk.account_manager.email
    assert ASKED in render(to_am).text
    assert desk.end_user.email in render(to_am).text
    assert to_customer.to_address == desk.end_user.email
    assert "We have passed your question on to am" in render(to_customer).text
    assert Mail.objects.count() == 2


def test_without_an_account_manager_it_goes_to_the_fallback(desk: Desk):  # D6, D5
    User.objects.filter(pk=desk.account_manager.pk).update(is_active=False)
    desk.company.account_manager.refresh_from_db()
    pass_on(desk.company, desk.contact, desk.technician, NOON, question=ASKED)
    to_manager = mails()["contract_question"]
    assert to_manager.to_address == desk.manager.email
    assert "Account manager of Acme" in to_manager.meant_for


def test_a_question_in_a_case_is_noted_there_and_the_case_goes_on(desk: Desk):  # D6
    case = desk.open_case()
    address = reverse("admin:cases_case_do", args=[case.pk, "contract_question"])
    signed_in(desk.technician).post(address, {"question": ASKED})
    row = ContractQuestion.objects.get()
    assert (row.case, row.contact) == (case, case.contact)
    note = Interaction.objects.get(channel="note")
    assert note.body == f"Contract question, passed on to am: {ASKED}"
    assert case.number in render(mails()["contract_question"]).text


def test_a_caller_who_was_turned_away_is_passed_on_from_the_list(desk: Desk):  # D6, D3
    refusal = opening.turn_away(desk.end_user, "The bill", desk.technician, NOON)
    client = signed_in(desk.technician)
    address = f"{ADD}?refusal={refusal.pk}"
    assert address in client.get("/admin/cases/refusal/").content.decode()
    initial = client.get(address).context["adminform"].form.initial
    assert (initial["company"], initial["contact"]) == (desk.company.pk, desk.end_user.pk)
    assert ADD in client.get("/admin/cases/case/add/").content.decode()


def test_what_cannot_be_passed_on_is_refused_beside_its_field(desk: Desk):  # S4, D9
    client = signed_in(desk.technician)

    def errors(contact: Contact) -> dict[str, list[str]]:
        sent = {"company": desk.company.pk, "contact": contact.pk, "question": ASKED}
        return client.post(ADD, sent).context["adminform"].form.errors  # type: ignore[no-any-return]

    assert "does not work for Acme" in errors(desk.other_company.contacts.all()[0])["contact"][0]
    Contact.objects.filter(pk=desk.end_user.pk).update(active=False)
    assert "has left Acme" in errors(desk.end_user)["contact"][0]
    User.objects.update(email="")
    assert "Nobody can be mailed for Acme" in errors(desk.contact)["company"][0]
    assert not ContractQuestion.objects.exists()


def test_account_managers_read_the_questions_of_their_companies_and_pass_none_on(desk: Desk):  # A1
    row = pass_on(desk.company, desk.contact, desk.technician, NOON, question=ASKED)
    page = f"/admin/cases/contractquestion/{row.pk}/change/"
    assert ASKED in signed_in(desk.account_manager).get(page).content.decode()
    assert signed_in(desk.other_account_manager).get(page).status_code == 404
    assert signed_in(desk.account_manager).get(ADD).status_code == 403
    with pytest.raises(NotAllowed):
        pass_on(desk.company, desk.contact, desk.account_manager, NOON, question=ASKED)
    with pytest.raises(Refused, match="Write down what the customer wants to know"):
        pass_on(desk.company, desk.contact, desk.technician, NOON, question=" ")
