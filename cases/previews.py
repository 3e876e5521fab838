"""What a button would do, shown beside its form before the click (E10).

A preview is no second model of the rules: the action is carried out with what is typed, the sweeps work the case as
they would within the next minute, what they wrote is read, and all of it is rolled back. Nothing stays, nothing is
sent, and a preview neither waits for a click nor keeps one waiting for longer than it takes.

What came of it is read by sources. The subjects register theirs, so that later apps show what they do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, models, transaction
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.actions import ACTIONS, CaseAction, Endpoint
from cases.engine.sweep import work_at_once
from cases.enums import Status
from cases.guards import NotAllowed, Refused, locked
from cases.mail.letters import why_no_mail
from cases.mail.messages import Readers, gist_of, message_named
from cases.models import Case, Mail
from contacts.enums import Role
from contacts.models import User
from contacts.permissions import has_right, signed_in_user
from contacts.wording import and_list, moment_formatter

log = logging.getLogger(__name__)

#: Stands for a text that is not written yet: the preview appears before it is.
STAND_IN = "(not written yet)"
#: On PostgreSQL a preview gives up when it would wait so long for a row that somebody else changes.
LONGEST_WAIT = "250ms"
BUSY = "The case is being changed just now."
UNFORESEEN = "What follows from it cannot be foreseen just now."
#: PostgreSQL's lock_not_available and deadlock_detected.
_LOCK_STATES = frozenset({"55P03", "40P01"})


@dataclass(frozen=True, slots=True)
class PreviewRecipient:
    """Somebody who would hear of it, and what: “the question”, “High 1”.

    `is_asked` for the status; `is_later` if it waits for other mail to them (T3).
    """

    name: str
    address: str
    what: str
    meant_for: str = ""
    is_customer: bool = False
    is_asked: bool = False
    is_later: bool = False


@dataclass(frozen=True)
class ActionPreview:
    """What an action would do now. `hints` say why nothing can be foreseen: it would be refused, something is missing.

    `then` is what comes next by itself, soonest first.
    """

    recipients: tuple[PreviewRecipient, ...] = ()
    lines: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewPart:
    """What one source has found. Each of `then` has its moment, for their order."""

    recipients: Sequence[PreviewRecipient] = ()
    lines: Sequence[str] = ()
    then: Sequence[tuple[datetime, str]] = ()


class CarriedOut:
    """A case after an action and the sweeps, still to be rolled back, and what was written meanwhile."""

    def __init__(self, before: Case, actor: User, now: datetime) -> None:
        self.before, self.actor, self.now = before, actor, now
        self.case = before
        self._newest = {model: _newest(model) for model in _read_by_sources}

    def new(self, model: type[models.Model]) -> models.QuerySet[Any]:
        """The rows of the case that were written meanwhile, oldest first; of a model that the source has named."""
        rows = model._default_manager.filter(case=self.before.pk, pk__gt=self._newest[model])
        return rows.order_by("pk")


def _newest(model: type[models.Model]) -> int:
    return model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0


# --- the registry -----------------------------------------------------------------------------------------------

PreviewSource = Callable[[CarriedOut], PreviewPart]

_sources: dict[int, PreviewSource] = {}
_read_by_sources: list[type[models.Model]] = []


def preview_source(place: int, *reads: type[models.Model]) -> Callable[[PreviewSource], PreviewSource]:
    """Register the decorated source, which asks for new rows of the models that it `reads`. No two share a place."""

    def register(source: PreviewSource) -> PreviewSource:
        assert place not in _sources, f"Place {place} is taken by {_sources[place]}."
        _sources[place] = source
        _read_by_sources.extend(reads)
        return source

    return register


# --- carrying out, and rolling back -----------------------------------------------------------------------------


def preview_of(action: type[CaseAction], case_id: int, actor: User, now: datetime, typed: QueryDict) -> ActionPreview:
    """What the action would do with what is `typed`; the database is afterwards as before.

    Texts that are still missing are taken as written. Raises Case.DoesNotExist for a case that the actor may not read.
    """
    try:
        with transaction.atomic():
            _wait_briefly()
            preview = _try_out(action, case_id, actor, now, typed.copy())
            transaction.set_rollback(True)
    except OperationalError as error:
        if not _is_locked(error):
            raise
        return ActionPreview(hints=(BUSY,))
    return preview


def _try_out(action: type[CaseAction], case_id: int, actor: User, now: datetime, typed: QueryDict) -> ActionPreview:
    before = locked(case_id, actor, nowait=True)
    seen = CarriedOut(before, actor, max(now, before.changed_at))
    while True:
        try:
            with transaction.atomic():
                button = action(locked(case_id, actor, nowait=True), actor, now, typed)
                if button.is_valid():
                    button.carry_out()
            refused = {name: [str(one) for one in errors] for name, errors in button.errors.items()}
        except NotAllowed as error:
            return ActionPreview(hints=(error.sentence,))
        except Refused as error:
            refused = {}
            for one in (error, *error.others):
                refused.setdefault(one.field or "", []).append(one.sentence)
        if not refused:
            return _follow(seen)
        missing = [name for name in refused if _is_unwritten(button, name, typed)]
        if not missing:
            return ActionPreview(hints=tuple(sentence for sentences in refused.values() for sentence in sentences))
        for name in missing:
            typed[name] = STAND_IN


def _is_unwritten(button: CaseAction, name: str, typed: QueryDict) -> bool:
    field = button.fields.get(name)
    is_text = isinstance(field, forms.CharField) and not field.widget.is_hidden
    return is_text and not typed.get(name, "").strip()


def _follow(seen: CarriedOut) -> ActionPreview:
    """Let the sweeps work the case, and read what was written. A case that makes a sweep fail has a short preview."""
    hints: tuple[str, ...] = ()
    try:
        with transaction.atomic():
            work_at_once(seen.before.pk, seen.now)
    except OperationalError:
        raise
    except Exception:
        log.exception("Case %s: the preview of what follows failed", seen.before.pk)
        hints = (UNFORESEEN,)
    people = ("company__account_manager", "company__customer_engineer", "contact__company", "owner__technician")
    seen.case = Case.objects.select_related(*people).get(pk=seen.before.pk)
    parts = [_sources[place](seen) for place in sorted(_sources)]
    recipients = [recipient for part in parts for recipient in part.recipients]
    lines = (*told(recipients, seen), *(line for part in parts for line in part.lines))
    then = sorted((one for part in parts for one in part.then), key=lambda one: one[0])
    return ActionPreview(tuple(recipients), lines, tuple(sentence for _, sentence in then), hints)


def _wait_briefly() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'")


def _is_locked(error: DatabaseError) -> bool:
    state = getattr(error.__cause__, "sqlstate", None)
    return state in _LOCK_STATES or "database is locked" in str(error)


# --- who hears what ---------------------------------------------------------------------------------------------


@preview_source(10, Mail)
def _case_itself(seen: CarriedOut) -> PreviewPart:
    """The mail, the owner and the status."""
    before, case = seen.before, seen.case
    lines = []
    if case.owner_id != before.owner_id:
        lines.append(f"The case goes from {before.owner or 'nobody'} to {case.owner or 'nobody'}.")
    if case.status != before.status:
        lines.append(f"The case is “{Status(case.status).label}” then{_reopen_until(case, seen.now)}.")
    return PreviewPart([_recipient(mail) for mail in seen.new(Mail)], lines)


def _reopen_until(case: Case, now: datetime) -> str:
    if case.is_open or case.resolved_at is None:
        return ""
    show = moment_formatter(now, timezone.get_current_timezone())
    return f", and can be reopened until {show(case.resolved_at + timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS))}"


def _recipient(mail: Mail) -> PreviewRecipient:
    is_customer = message_named(mail.template).to == Readers.CUSTOMER
    is_asked = bool(mail.facts.get("asked"))
    return PreviewRecipient(mail.to_name, mail.to_address, _what(mail), mail.meant_for, is_customer, is_asked)


def _what(mail: Mail) -> str:
    """The points that a mail names, lowest first, or its gist."""
    if mail.template != "escalation":
        return gist_of(mail.template)
    return and_list([*(other["name"] for other in mail.facts["others"]), mail.facts["point"]])


def told(recipients: Iterable[PreviewRecipient], seen: CarriedOut) -> list[str]:
    """Who hears what, in sentences; the customer last. One query."""
    recipients = list(recipients)
    shown = _named(recipients, seen)
    lines = [f"Asks {and_list(names)} for the status." for names in _grouped(recipients, shown, _asked).values()]
    lines += [f"Emails {and_list(names)}: {what}." for what, names in _grouped(recipients, shown, _emailed).items()]
    lines += [
        f"Tells {and_list(names)} with their next mail: {what}."
        for what, names in _grouped(recipients, shown, _later).items()
    ]
    customers = [one for one in recipients if one.is_customer]
    lines += [f"The customer ({one.name}) gets {one.what}." for one in customers]
    if not customers:
        lost = why_no_mail(seen.case)
        lines.append(f"The customer gets no mail{f': {lost}' if lost else ' of it'}.")
    return lines


def _asked(one: PreviewRecipient) -> bool:
    return one.is_asked


def _emailed(one: PreviewRecipient) -> bool:
    return not (one.is_customer or one.is_asked or one.is_later)


def _later(one: PreviewRecipient) -> bool:
    return one.is_later


def _grouped(
    recipients: Iterable[PreviewRecipient], shown: dict[str, str], of: Callable[[PreviewRecipient], bool]
) -> dict[str, list[str]]:
    """The names by what they are told, each once."""
    groups: dict[str, dict[str, None]] = {}
    for one in filter(of, recipients):
        groups.setdefault("" if one.is_asked else one.what, {})[shown[_key(one)]] = None
    return {what: list(names) for what, names in groups.items()}


def _key(one: PreviewRecipient) -> str:
    return f"{one.address.lower()} {one.meant_for}"


def _named(recipients: Sequence[PreviewRecipient], seen: CarriedOut) -> dict[str, str]:
    """How each is named: “you”, “Graham Ford (customer service manager)”, “Ruth Lee (for COO (nobody))”."""
    addresses = {one.address.lower() for one in recipients if not one.is_customer}
    staff = User.objects.annotate(lower=Lower("email")).filter(lower__in=addresses).select_related("technician")
    people = {user.email.lower(): user for user in staff}
    return {_key(one): _name(one, people.get(one.address.lower()), seen.actor) for one in recipients}


def _name(one: PreviewRecipient, user: User | None, actor: User) -> str:
    name = "you" if user == actor else one.name or one.address
    if one.meant_for:
        return f"{name} (for {one.meant_for})"
    if user is None or user == actor:
        return name
    technician = getattr(user, "technician", None)
    place = technician.level if technician else Role(user.role).in_sentence if user.role else ""
    return f"{name} ({place})" if place else name


# --- the endpoint -----------------------------------------------------------------------------------------------


class PreviewEndpoint(Endpoint):
    """Shows what a button would do with what is typed, to whoever may press it (A1, A2).

    A script gets the block alone; without one it is a page with the form, in which nothing typed is lost.
    """

    def __call__(self, request: HttpRequest, object_id: int, slug: str) -> HttpResponse:
        """Raises Http404 for a foreign case, an unknown action, or one that has no preview."""
        if slug not in ACTIONS or not ACTIONS[slug].previews:
            raise Http404("There is no such preview.")
        if request.method in ("GET", "HEAD"):
            return redirect(self._found(request, object_id).get_absolute_url())
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        action, now, actor = ACTIONS[slug], timezone.now(), signed_in_user(request)
        if not has_right(request, action.right):
            return self._no_right(request, object_id, action, now)
        try:
            preview = preview_of(action, object_id, actor, now, request.POST)
        except Case.DoesNotExist as error:
            raise Http404("There is no such case.") from error
        if "HX-Request" in request.headers:
            return TemplateResponse(request, "admin/cases/case/preview.html", {"preview": preview})
        button = action(self._found(request, object_id), actor, now, request.POST)
        button.show_without_errors()
        return self._answer(request, button, "", 200, preview=preview)
