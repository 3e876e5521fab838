"""A desk after years of work, for measurements: as many cases as wanted, most of them resolved, with what was said,
promised, escalated and mailed about each, over thousands of companies of which five are big.

The rows are made by the database itself out of one real row of each table, on PostgreSQL as on SQLite. No sweep has
written them, but every page can read them. All moments are reckoned from `now`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max, Model

from cases.enums import Channel, Direction, FollowUpStep, MailStatus
from cases.models import Absence, Attachment, Case, CaseWatcher, FollowUp, Interaction, Mail
from contacts.enums import Level
from contacts.models import Company, Contact, Technician, User
from escalations.enums import Member, Origin, SlaKind
from escalations.models import Escalation, EscalationRequest, Question, SlaTarget
from tests.support.builders import Desk, build_desk

YEARS = 6
TECHNICIANS, ACCOUNT_MANAGERS = 200, 200
BIG = 5
#: What the measured people have: the technician owns so many open cases, the account manager so many companies.
OWN_CASES, OWN_COMPANIES = 30, 40
#: Contacts and mails of the busy case, in hundreds.
BUSY_HUNDREDS = 3


@dataclass(frozen=True)
class Years:
    """The desk, and some rows whose pages are measured."""

    desk: Desk
    cases: int
    open_cases: int
    busy: Case
    quiet: Case
    old: Case
    big_company: Company
    small_company: Company


def build_years(cases: int, open_cases: int, now: datetime) -> Years:
    """Fill an empty database; statistics are gathered at the end."""
    desk = build_desk()
    rows = _Rows(now)
    companies = _people(desk, max(50, cases // 300))
    template = desk.open_case(now=now - timedelta(days=1), channel=Channel.EMAIL)
    base = template.pk
    owners = list(User.objects.filter(username__startswith="t-").order_by("pk").values_list("pk", flat=True))
    contacts = Contact.objects.filter(company__in=companies).aggregate(first=Max("pk"))["first"] - len(companies) + 1
    _cases(rows, template, cases, open_cases, companies, contacts, owners)
    _what_was_said(rows, template, base)
    _what_was_promised(rows, template, base, desk)
    # the pattern of all others is the oldest: keys rise with the opening, as they do on a desk
    Case.objects.filter(pk=base).update(opened_at=now - timedelta(days=YEARS * 365 + 1))
    own = Case.objects.open().filter(pk__gt=base).order_by("next_due_at").values_list("pk", flat=True)
    step = max(1, open_cases // (OWN_CASES + 5))
    Case.objects.filter(pk__in=list(own[::step])[:OWN_CASES]).update(owner=desk.technician)
    busy, quiet = list(Case.objects.owned_by(desk.technician).filter(pk__gt=base).order_by("pk")[:2])
    _busy(rows, busy)
    gather_statistics()
    return Years(
        desk,
        cases,
        open_cases,
        busy,
        quiet,
        # with every case open, the oldest of them
        Case.objects.filter(pk__gt=base, status="resolved").order_by("pk").first() or Case.objects.get(pk=base + 1),
        Company.objects.get(pk=companies[0]),
        Company.objects.get(pk=companies[BIG]),
    )


def gather_statistics() -> None:
    """What autovacuum would have done by now."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _people(desk: Desk, companies: int) -> list[int]:
    """Technicians, account managers and companies with a contact each; returns the companies' keys, the big first."""
    staff = User.objects.bulk_create(
        User(
            username=f"{letter}-{n}",
            first_name=f"Given{n}",
            last_name=f"Family{n}",
            email=f"{letter}{n}@example.com",
            role=role,
            is_staff=True,
            password="x",
        )
        for letter, role, many in (("t", "technician", TECHNICIANS), ("a", "account_manager", ACCOUNT_MANAGERS))
        for n in range(many)
    )
    technicians, managers = staff[:TECHNICIANS], staff[TECHNICIANS:]
    Technician.objects.bulk_create(
        Technician(
            user=user,
            centre=desk.centre,
            languages=["en"],
            level=Level.L3 if n % 5 == 0 else Level.L2,
            on_duty=n % 3 == 0,
        )
        for n, user in enumerate(technicians)
    )
    every = companies // OWN_COMPANIES
    made = Company.objects.bulk_create(
        Company(
            name=f"Customer {n}",
            country="DE",
            time_zone="Europe/Berlin",
            account_manager=desk.other_account_manager if n % every == 0 else managers[n % ACCOUNT_MANAGERS],
        )
        for n in range(companies)
    )
    Contact.objects.bulk_create(
        Contact(company=company, name=f"Help desk {n}", email=f"desk@c{n}.example.com", is_help_desk=True)
        for n, company in enumerate(made)
    )
    return [company.pk for company in made]


class _Rows:
    """Makes rows of a table out of one, each with some columns of its own."""

    def __init__(self, now: datetime) -> None:
        self.is_postgresql = connection.vendor == "postgresql"
        self.now = now

    def at(self, seconds: str) -> str:
        """An SQL expression: the moment so many seconds after now."""
        if self.is_postgresql:
            return f"('{self.now.isoformat()}'::timestamptz + ({seconds}) * interval '1 second')"
        return f"strftime('%Y-%m-%d %H:%M:%S', '{self.now:%Y-%m-%d %H:%M:%S}', ({seconds}) || ' seconds')"

    def numbers(self, last: int) -> str:
        """A table `s` with one column `n`, from 1 on."""
        if self.is_postgresql:
            return f"generate_series(1::bigint, {last}) AS s(n)"
        return (
            f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s) AS s"
        )

    def text(self, expression: str) -> str:
        return f"({expression})::text" if self.is_postgresql else f"({expression})"

    def copy(self, template: Model, source: str, where: str = "", history: bool = False, **own: str) -> None:
        """One row for each of `source`, as the template but for the columns that have an expression."""
        model = type(template).history.model if history else type(template)  # type: ignore[attr-defined]
        table, key = model._meta.db_table, "history_id" if history else "id"
        of_template = f"t.id = {template.pk}"
        columns = [field.column for field in model._meta.concrete_fields if field.column != key or key in own]
        values = [own.get(column, f't."{column}"') for column in columns]
        names = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {source}, {table} AS t "
                f"WHERE {of_template} {f'AND {where}' if where else ''}"
            )


def _pick(number: str, *weighted: tuple[int, str]) -> str:
    """An SQL expression: a text by a number from 0 to 99; each stands for numbers below its bound."""
    return f"(CASE {' '.join(f'WHEN {number} < {below} THEN {chosen}' for below, chosen in weighted)} END)"


def _cases(
    rows: _Rows, template: Case, cases: int, open_cases: int, companies: list[int], contact: int, owners: list[int]
) -> None:
    base, drawn = template.pk, "(n * 7919 % 100)"
    old = max(1, cases // max(1, open_cases // 10))
    is_open = f"(n > {cases - open_cases * 9 // 10} OR n % {old} = 0)"
    if open_cases >= cases:
        is_open = "(n > 0)"
    place = f"(CASE WHEN {drawn} < 30 THEN n % {BIG} ELSE {BIG} + n * 104729 % {len(companies) - BIG} END)"
    waits = f"({is_open} AND n * 31 % 100 >= 60)"
    opened = f"-({cases} - n) * {YEARS * 365 * 86_400 / cases} - 600"
    due = rows.at("-7200 + n * 7919 % 604800")
    took = (
        "300 + n * 7919 % 500000"  # seconds from the opening to the resolution; before now, as what is old is resolved
    )

    def while_open(expression: str, otherwise: str = "NULL") -> str:
        return f"(CASE WHEN {is_open} THEN {expression} ELSE {otherwise} END)"

    def while_waiting(expression: str, otherwise: str) -> str:
        return f"(CASE WHEN {waits} THEN {expression} ELSE {otherwise} END)"

    own = {
        "company_id": f"{companies[0]} + {place}",
        "contact_id": f"{contact} + {place}",
        "owner_id": f"(CASE WHEN n % 500 = 0 THEN NULL ELSE {owners[0]} + n % {len(owners)} END)",
        "title": f"'Issue ' || {rows.text('n')} || ' with device ' || {rows.text('n % 997')}",
        "severity": _pick(drawn, (1, "'critical'"), (8, "'high'"), (70, "'medium'"), (100, "'low'")),
        "status": while_open(
            while_waiting("'customer_update_required'", "(CASE WHEN n % 7 = 0 THEN 'assigned' ELSE 'in_progress' END)"),
            "'resolved'",
        ),
        "opened_at": rows.at(opened),
        "changed_at": rows.at(opened),
        "resolved_at": while_open("NULL", rows.at(f"{opened} + {took}")),
        "waited_seconds": while_open("0", f"CASE WHEN n % 3 = 0 THEN ({took}) / 2 ELSE 0 END"),
        "reopenings": while_open("0", "CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END"),
        "resolution": while_open("''", "'customer_confirmed'"),
        "agreed_by": while_open("''", "'phone'"),
        "wait_episode": while_waiting("1", "0"),
        "wait_plan": while_waiting("'pending'", "''"),
        "wait_reason": while_waiting("'information'", "''"),
        "wait_question": while_waiting("'Which floor?'", "''"),
        "waiting_since": while_waiting(rows.at("-(n % 10) * 86400 - 3600"), "NULL"),
        "next_due_at": while_open(due),
        "sla_due_at": while_open(while_waiting("NULL", due)),
        "sla_check_at": while_open(due),
        "escalation_check_at": while_open(while_waiting("NULL", rows.at("3600 + n * 104729 % 604800"))),
        "follow_up_check_at": while_waiting(due, "NULL"),
    }
    rows.copy(template, rows.numbers(cases), id=f"{base} + n", **own)
    rows.copy(
        template, f"cases_case AS c, {rows.numbers(1)}", f"c.id > {base}", history=True, id="c.id", title="c.title",
        company_id="c.company_id", contact_id="c.contact_id", owner_id="c.owner_id", severity="c.severity",
        opened_at="c.opened_at", changed_at="c.opened_at", history_date="c.opened_at",
    )  # fmt: skip
    # what was reopened at some time: resolved, reopened and resolved, at thirds of its life
    began, ended = _seconds_since(rows, "c.opened_at"), _seconds_since(rows, "c.resolved_at")
    third = f"{began} + s.n * ({ended} - {began}) / 3"
    rows.copy(
        template, f"cases_case AS c, {rows.numbers(3)}", f"c.id > {base} AND c.reopenings > 0", history=True,
        id="c.id", title="c.title", company_id="c.company_id", contact_id="c.contact_id", owner_id="c.owner_id",
        severity="c.severity", opened_at="c.opened_at", changed_at="c.opened_at", history_date=rows.at(third),
        status="(CASE WHEN s.n = 2 THEN 'in_progress' ELSE 'resolved' END)",
        resolved_at="(CASE WHEN s.n = 2 THEN NULL ELSE c.resolved_at END)",
        last_move="(CASE WHEN s.n = 2 THEN 'reopened' ELSE 'resolved' END)",
    )  # fmt: skip


def _what_was_said(rows: _Rows, template: Case, base: int) -> None:
    """Two contacts a case, four on open ones; a few files; a few customers who wrote after closing."""
    staff = template.opened_by_id
    said = Interaction.objects.create(
        case=template, channel=Channel.EMAIL, direction=Direction.OUT, at=rows.now, by_id=staff, body="Have a look.",
        contact=template.contact,
    )  # fmt: skip
    at = f"{_seconds_since(rows, 'c.opened_at')} + s.n * 60"
    common = {"case_id": "c.id", "contact_id": "c.contact_id", "by_id": "c.owner_id"}
    body = f"'Word ' || {rows.text('c.id')} || ' was said about it'"
    rows.copy(
        said, f"cases_case AS c, {rows.numbers(4)}", f"c.id > {base} AND (s.n < 3 OR c.status <> 'resolved')",
        at=rows.at(at), logged_at=rows.at(at), body=body, **common,
    )  # fmt: skip
    after = Interaction.objects.create(
        case=template, channel=Channel.EMAIL, direction=Direction.IN, at=rows.now, body="Not solved.", needs_answer=True
    )
    rows.copy(
        after, f"cases_case AS c, {rows.numbers(1)}", f"c.id > {base} AND c.status = 'resolved' AND c.id % 2000 = 0",
        at=rows.at("-3600 - c.id % 7200"), logged_at=rows.at("-3600 - c.id % 7200"), case_id="c.id",
        contact_id="c.contact_id",
    )  # fmt: skip
    Interaction.objects.filter(pk=after.pk).update(needs_answer=False)
    file = Attachment.objects.create(
        case=template, interaction=said, name="screen.png", content_type="image/png", size=1, sha256="0", stored_as="x",
        added_at=rows.now,
    )  # fmt: skip
    rows.copy(
        file, "cases_interaction AS i", f"i.case_id > {base} AND i.id % 20 = 0", case_id="i.case_id",
        interaction_id="i.id", added_at="i.at", stored_as=rows.text("i.id"),
    )  # fmt: skip
    watcher = User.objects.get(username="t-9").pk
    watched = CaseWatcher.objects.create(case=template, user_id=staff, since=rows.now)
    rows.copy(
        watched, f"cases_case AS c, {rows.numbers(1)}",
        f"c.id > {base} AND (c.id % 9 = 0 OR c.status <> 'resolved' AND c.id % 3 = 0)", case_id="c.id",
        user_id=f"(CASE WHEN c.id % 1000 = 0 THEN {staff} ELSE COALESCE(c.owner_id, {watcher}) - 1 END)",
    )  # fmt: skip


def _seconds_since(rows: _Rows, column: str) -> str:
    """An SQL expression: how many seconds after now a moment is."""
    if rows.is_postgresql:
        return f"EXTRACT(EPOCH FROM {column} - '{rows.now.isoformat()}'::timestamptz)"
    return f"CAST((julianday({column}) - julianday('{rows.now:%Y-%m-%d %H:%M:%S}')) * 86400 AS INTEGER)"


def _what_was_promised(rows: _Rows, template: Case, base: int, desk: Desk) -> None:
    """Mail, promises, points, notices, questions, requests and absences."""
    every, staff = f"c.id > {base}", template.opened_by_id
    one = rows.numbers(1)
    opened = _seconds_since(rows, "c.opened_at")
    mail = Mail.objects.create(
        case=template, key="k", template="status_update", facts={}, to_name="Desk", to_address="desk@example.com",
        status=MailStatus.SENT, queued_at=rows.now, send_at=rows.now, sent_at=rows.now, message_id="m",
        subject="Update",
        text="Where it stands: we are looking into it." * 8,
    )  # fmt: skip
    key = f"{rows.text('c.id')} || ':' || {rows.text('s.n')}"
    rows.copy(
        mail, f"cases_case AS c, {rows.numbers(3)}", f"{every} AND (s.n = 1 OR c.status <> 'resolved')", case_id="c.id",
        key=f"'k' || {key}", message_id=f"'m' || {key}", queued_at=rows.at(f"{opened} + 60 * s.n"),
        send_at=rows.at(f"{opened} + 60 * s.n"), sent_at=rows.at(f"{opened} + 60 * s.n"),
        status=_pick("(c.id % 100)", (1, "'failed'"), (2, "'bounced'"), (100, "'sent'")),
    )  # fmt: skip
    question = Mail.objects.create(
        case=template, key="q", template="question", facts={}, to_address="desk@example.com", episode=1,
        status=MailStatus.SENT, queued_at=rows.now, send_at=rows.now, sent_at=rows.now, message_id="q",
        subject="Question",
    )  # fmt: skip
    rows.copy(
        question, f"cases_case AS c, {one}", f"{every} AND c.status = 'customer_update_required'", case_id="c.id",
        key=f"'q' || {key}", message_id=f"'q' || {key}", queued_at="c.waiting_since", sent_at="c.waiting_since",
        status=_pick("(c.id % 997)", (1, "'failed'"), (2, "'bounced'"), (997, "'sent'")),
    )  # fmt: skip
    target = SlaTarget.objects.create(
        case=template, kind=SlaKind.RESPONSE, member=Member.CUSTOMER, since=rows.now, due_at=rows.now
    )
    rows.copy(
        target, f"cases_case AS c, {one}", every, case_id="c.id", company_id="c.company_id", since="c.opened_at",
        due_at=rows.at(f"{opened} + 1800"), ended_at=rows.at(f"{opened} + 900"),
        outcome=_pick("(c.id % 100)", (3, "'missed'"), (100, "'person'")),
    )  # fmt: skip
    rows.copy(
        target, f"cases_case AS c, {one}", f"{every} AND c.status IN ('assigned', 'in_progress')", case_id="c.id",
        company_id="c.company_id", kind="'update'", since="c.opened_at", due_at=rows.at("c.id * 7919 % 86400"),
        reminded_at=rows.at("-60"),
    )  # fmt: skip
    point = Escalation.objects.create(
        case=template, run=9, severity="medium", number=1, schedule_version=1, due_at=rows.now, done_at=rows.now
    )
    rows.copy(
        point, f"cases_case AS c, {rows.numbers(2)}",
        f"{every} AND (s.n = 1 AND c.id % 4 = 0 OR c.status <> 'resolved' AND c.id % 2 = 0)", case_id="c.id", run="1",
        severity="c.severity", number="s.n", due_at=rows.at(f"{opened} + 3600 * s.n"),
        done_at=rows.at(f"{opened} + 3600 * s.n"), owner_before_id="c.owner_id", owner_after_id="c.owner_id",
    )  # fmt: skip
    notice = FollowUp.objects.create(
        case=template, episode=9, step=FollowUpStep.NOTICE_1, due_at=rows.now, done_at=rows.now
    )
    sent = f"cases_mail AS m, cases_case AS c, {one}"
    rows.copy(
        notice, sent,
        f"m.case_id = c.id AND m.template = 'status_update' AND {every} AND m.key LIKE '%:1' AND "
        "(c.status = 'customer_update_required' OR c.id % 10 = 0)",
        case_id="c.id", episode="1", mail_id="m.id", due_at="m.queued_at", done_at="m.queued_at",
    )  # fmt: skip
    asked = Question.objects.create(
        case=template, point="High 1", severity="high", asked_id=staff, asked_at=rows.now, answer_by=rows.now,
        ended_at=rows.now, end="answered",
    )  # fmt: skip
    rows.copy(
        asked, f"cases_case AS c, {one}",
        f"{every} AND c.owner_id IS NOT NULL AND (c.id % 10 = 0 OR c.status = 'in_progress' AND c.id % 7 = 0)",
        case_id="c.id", company_id="c.company_id", asked_id="c.owner_id", asked_at="c.opened_at",
        answer_by=rows.at("-7200 + c.id * 7919 % 86400"),
        ended_at="(CASE WHEN c.status = 'in_progress' THEN NULL ELSE c.resolved_at END)",
        end="(CASE WHEN c.status = 'in_progress' THEN '' ELSE 'answered' END)",
    )  # fmt: skip
    wanted = EscalationRequest.objects.create(
        case=template, origin=Origin.CUSTOMER, asked_by="Thomas", requested_at=rows.now, requested_by_id=staff
    )
    wanted.decline(desk.manager, "Not yet", rows.now)
    wanted.save()
    rows.copy(
        wanted, f"cases_case AS c, {one}", f"{every} AND c.id % 200 = 7", case_id="c.id", company_id="c.company_id",
        requested_at="c.opened_at", decide_by=rows.at(f"{opened} + 7200"),
        status="(CASE WHEN c.status = 'in_progress' THEN 'requested' ELSE 'closed' END)",
    )  # fmt: skip
    away = Absence.objects.create(
        case=template, contact=template.contact, state="dismissed", noted_at=rows.now, phrase="away until Monday"
    )
    rows.copy(
        away, f"cases_case AS c, {one}", f"{every} AND c.id % 300 = 5", case_id="c.id", contact_id="c.contact_id",
        noted_at="c.opened_at",
    )  # fmt: skip


def _busy(rows: _Rows, case: Case) -> None:
    """Hundreds of contacts and mails on one case."""
    last = f"{rows.numbers(BUSY_HUNDREDS * 100)}"
    at = rows.at("-86400 + s.n * 60")
    rows.copy(case.interactions.order_by("pk")[0], last, at=at, logged_at=at)
    key = f"'busy' || {rows.text('s.n')}"
    rows.copy(case.mails.order_by("pk")[0], last, key=key, message_id=key, queued_at=at, sent_at=at)
