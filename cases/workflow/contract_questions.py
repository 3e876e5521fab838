"""Pass a question about a contract or a bill on to the account manager (D6); it opens no technical case."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from cases.enums import Channel, Direction
from cases.guards import Refused, allow, foreign_contact, needs, refuse_who_left
from cases.mail.letters import Letter, customer_address, post, to_each
from cases.mail.phrases import Phrase, and_names, phrase
from cases.models import Case, ContractQuestion
from cases.workflow.transitions import log_interaction
from contacts.directory import Addressee, Directory
from contacts.enums import Right, Role
from contacts.models import Company, Contact, User
from contacts.wording import and_list


def pass_on(
    company: Company, contact: Contact, actor: User, now: datetime, *, question: str, case: Case | None = None
) -> ContractQuestion:
    """Record the question, mail it to the account manager (D5's fallback), and tell the customer who answers.

    `case`, locked, is the one in whose course it was asked: it gets a note. Raises Refused or NotAllowed.
    """
    allow(actor, Right.WORK_CASES, "pass a question on")
    asked = needs(question, "Write down what the customer wants to know.", "question")
    readers = who_answers(company, contact)
    who = and_list(reader.name for reader in readers)
    with transaction.atomic():
        row = ContractQuestion.objects.create(
            company=company, contact=contact, question=asked, case=case, at=now, by=actor, passed_on_to=who[:200]
        )
        if case is not None:
            said = f"Contract question, passed on to {who}: {asked}"
            log_interaction(case, Channel.NOTE, Direction.INTERNAL, said, actor, now)
        post(
            [*_to_account_manager(row, readers), *_to_customer(row, and_names(reader.name for reader in readers))], now
        )
    return row


def who_answers(company: Company, contact: Contact) -> list[Addressee]:
    """Who is mailed a question of this contact (D5). Raises Refused if it cannot be passed on."""
    if contact.company_id != company.pk:
        raise foreign_contact(contact, company)
    refuse_who_left(contact)
    readers = Directory().for_role(Role.ACCOUNT_MANAGER, None, company)
    if not readers:
        raise Refused(
            f"Nobody can be mailed for {company.name}: have a Support Manager name an account manager with an address.",
            "company",
        )
    return readers


def sentence_of(row: ContractQuestion) -> str:
    """What to say to whoever passed it on."""
    told = "the customer is told" if row.contact.email else f"tell {row.contact.name} yourself: they have no address"
    return f"The question is passed on to {row.passed_on_to}; {told}."


def _to_account_manager(row: ContractQuestion, readers: list[Addressee]) -> list[Letter]:
    contact = row.contact
    what = {
        "company": row.company.name,
        "contact": contact.name,
        "address": " or ".join(filter(None, (contact.email, contact.phone))) or "no address on file",
        "question": row.question,
        "sender": str(row.by),
        "number": row.case.number if row.case else "",
        "why": f"questions about contracts and bills of {row.company.name} go to its account manager",
        "expected": f"Answer {contact.name} yourself: they were told that you do.",
        "next": "The desk does nothing more about it: it is no technical case.",
    }
    return to_each(readers, f"contract:{row.pk}", "contract_question", what, None)


def _to_customer(row: ContractQuestion, who: Phrase | str) -> list[Letter]:
    if not row.contact.email:
        return []
    what = {
        "company_id": row.company_id,
        "question": row.question,
        "answers": who,
        "why": phrase("you asked us about a contract or a bill"),
        "expected": phrase("Nothing for now."),
        "next": phrase("%(who)s answers you. For a technical issue, please turn to support as before.", who=who),
    }
    to = customer_address(row.contact, row.company)
    return [Letter(f"contract:{row.pk}:customer", "contract_question_passed_on", to, what)]
