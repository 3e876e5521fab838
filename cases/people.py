"""The people of the customer's company whom the forms of a case offer (C3)."""

from __future__ import annotations

from typing import cast

from django.db.models import Q

from cases.actions import CaseAction
from cases.forms import CopiesField, PersonField
from cases.mail.letters import why_no_mail
from cases.models import Case
from cases.page_cache import kept_with_case
from contacts.models import Contact


@kept_with_case
def people_of(case: Case) -> list[Contact]:
    """Who is there, and the case's contact, who comes first; then the help desk."""
    there = Contact.objects.filter(company=case.company_id)
    people = there.filter(Q(active=True) | Q(pk=case.contact_id)).order_by("-is_help_desk", "name", "pk")
    return sorted(people, key=lambda person: person.pk != case.contact_id)


def offer_people(form: CaseAction, help_desk_only: bool = False) -> None:
    """Offer in the field `contact` whom a contact may have been with; the case's contact is proposed."""
    contact = form.case.contact
    people = [one for one in people_of(form.case) if not help_desk_only or one.is_help_desk or one == contact]
    cast(PersonField, form.fields["contact"]).offer(people, contact)


def offer_copies(form: CaseAction) -> None:
    """Offer in the field `copies` the others of the help desk who can be mailed; without any there is no field."""
    case = form.case
    others = [one for one in people_of(case) if one.is_help_desk and one.pk != case.contact_id]
    others = [one for one in others if not why_no_mail(case, one)]
    if others:
        cast(CopiesField, form.fields["copies"]).offer(others)
    else:
        del form.fields["copies"]
