"""Hand-over (W3): write a centre's sheet before its day ends, hand it over at the end, accept, keep and reword its
cases, and give the Support Manager what nobody has accepted.

The sweep is late, runs twice, or in two places, and the same comes of it (S1): the row of the sheet is the claim, and
what is handed over is what it says when the day is over. Owners change by the moves of C8, so that neither the clocks
nor what is promised notice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from cases.enums import Severity, Status
from cases.guards import NotAllowed, Refused, allow, needs
from cases.mail.letters import post
from cases.models import Case
from cases.roster import Roster
from cases.workflow.handing_on import MOST_AT_ONCE, HandedOn, accept_many
from contacts.changes import directory_changed
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import Technician, User
from escalations.enums import HandoverState
from escalations.handover.mail import not_accepted_letters, sheet_letters
from escalations.handover.state import CentreCrew, StandsAt, is_looked_at, leaving, load_crews, load_standings
from escalations.models import HandoverLine, HandoverSheet
from escalations.policy.handover import (
    PATIENCE,
    Cover,
    Crew,
    EndingDay,
    accept_by,
    covering_centre,
    day_cut_short,
    ending_day,
)

log = logging.getLogger(__name__)

OPEN, ACCEPTED, KEPT, OVER = HandoverState
#: Characters of a line that somebody rewords.
LONGEST_LINE = 1_000
TO_HAND_OVER = "hand cases over"

Crews = Mapping[int, CentreCrew]


# --- the sweep (S1) ---------------------------------------------------------------------------------------------


def sweep_handovers(now: datetime) -> int:
    """Write and hand over the sheets of the days that end, and see to those that nobody has accepted. Returns how many
    sheets it did something to. One centre in trouble stops no other (S2).
    """
    crews, before = load_crews(), timedelta(minutes=settings.DESK_HANDOVER_BEFORE_MINUTES)
    done = 0
    for own in crews.values():
        day = ending_day(own.crew.hours, now, before) if own.members else None
        if day is not None:
            done += _alone(f"the sheet of {own.centre}", partial(_work_day, own, day, crews, now))
    for key in list(HandoverSheet.objects.unsettled().order_by("ends_at", "pk").values_list("pk", flat=True)):
        done += _alone(f"sheet {key}", partial(_see_to, key, now))
    return done


def _alone(what: str, work: Callable[[], bool]) -> bool:
    """Do one piece of work in a transaction of its own; what fails is reported and tried again at the next sweep."""
    try:
        with transaction.atomic():
            return work()
    except (OperationalError, InterfaceError):
        raise  # the database is in trouble
    except Exception:
        log.exception("hand-over: %s failed, and is tried again", what)
        return False


def _work_day(own: CentreCrew, day: EndingDay, crews: Crews, now: datetime) -> bool:
    """Write the sheet of a day that ends, keep it right until the end, and hand it over then."""
    row = HandoverSheet(centre=own.centre, ends_at=day.ends_at, back_at=day.back_at, made_at=now)
    known = HandoverSheet.objects.filter(centre=own.centre, person=None, ends_at=day.ends_at)
    if known.filter(sent_at__isnull=False).exists():
        return False
    if not known.exists():
        HandoverSheet.objects.bulk_create([row], ignore_conflicts=True)
    # Whoever else works it now does the same.
    sheet = known.filter(sent_at=None).select_for_update(skip_locked=True, of=("self",)).first()
    if sheet is None:
        return False
    sheet.centre, sheet.back_at = own.centre, day.back_at
    is_over = day.is_over(now)
    changed = _keep_right(sheet, own.members, day, now)
    cases = leaving(own.members, day, now, is_over=is_over).exclude(handovers__sheet=sheet)
    unknown = Case.objects.filter(pk__in=cases.values("pk")).filter(is_looked_at(now))
    waits = is_over and now < day.ends_at + PATIENCE and unknown.exists()
    if not is_over or waits:
        cases = cases.exclude(is_looked_at(now))
    changed += _add(sheet, cases, crews, now)
    cover = _cover(sheet, [crew.crew for crew in crews.values() if crew is not own], max(now, day.ends_at))
    if is_over and not waits:
        _hand_over(sheet, cover, crews, now)
        return True
    HandoverSheet.objects.filter(pk=sheet.pk).update(
        to_centre=cover.centre if cover is not None else None, back_at=day.back_at
    )
    return bool(changed)


def _keep_right(sheet: HandoverSheet, members: Sequence[int], day: EndingDay, now: datetime) -> int:
    """End the lines that are not needed any more, and follow a change of owner within the centre."""
    changed = 0
    for line in sheet.lines.filter(state=OPEN).select_related("case"):
        case = line.case
        knows = all(moment is None or moment > now for moment in _looks(case))
        needed = case.is_open and case.owner_id in members
        if not needed or (knows and not day.leaves_undone(case.next_due_at)):
            changed += _set(line, OVER, now)
        elif case.owner_id != line.owner_id:
            changed += HandoverLine.objects.filter(pk=line.pk, state=OPEN).update(owner=case.owner_id)
    return changed


def _looks(case: Case) -> tuple[datetime | None, ...]:
    return case.sla_check_at, case.escalation_check_at, case.follow_up_check_at


def _set(line: HandoverLine, state: HandoverState, now: datetime) -> int:
    return HandoverLine.objects.filter(pk=line.pk, state=OPEN).update(state=state, state_at=now)


def _cover(sheet: HandoverSheet, others: Sequence[Crew], at: datetime) -> Cover | None:
    needed = Counter(sheet.lines.filter(state=OPEN).order_by().values_list("language", flat=True))
    return covering_centre(others, at, needed)


def _hand_over(sheet: HandoverSheet, cover: Cover | None, crews: Crews, now: datetime) -> None:
    """Hand a sheet over at `now`: the letters go, and the half hour runs in which it has to be accepted."""
    lines = _open_lines(sheet)
    receiver = crews[cover.centre] if cover is not None else None
    crew = [one for one in receiver.on_duty if one.pk != sheet.person_id] if receiver is not None else []
    sheet.to_centre = receiver.centre if receiver is not None else None
    sheet.sent_at = now
    sheet.accept_by = accept_by(
        cover, now, min((line.due_at for line in lines if line.due_at), default=None), bool(crew)
    )
    if not lines:
        sheet.settled_at = now
    elif crew:
        post(sheet_letters(sheet, lines, crew), now)
    sheet.save()
    if lines:
        _tell_manager(sheet, lines, now)


def _open_lines(sheet: HandoverSheet) -> list[HandoverLine]:
    lines = sheet.lines.filter(state=OPEN).select_related("case__company", "owner")
    return list(lines.order_by("due_at", "pk"))


def _see_to(key: int, now: datetime) -> bool:
    """What is left of a sheet: not needed any more, or the Support Manager's (W3)."""
    rows = HandoverSheet.objects.unsettled().select_for_update(skip_locked=True, of=("self",))
    sheet = rows.select_related("centre", "to_centre", "person").filter(pk=key).first()
    if sheet is None:
        return False
    is_back = sheet.back_at is not None and sheet.back_at <= now
    # Its centre's hours were changed since: the day ends at another time, with another sheet.
    is_stray = sheet.sent_at is None and sheet.ends_at + 2 * PATIENCE <= now
    if sheet.sent_at is None and not is_stray and not is_back:
        return False
    for line in sheet.lines.filter(state=OPEN).select_related("case"):
        if is_back or is_stray or not line.case.is_open or line.case.owner_id != line.owner_id:
            _set(line, OVER, now)
    lines = _open_lines(sheet)
    if not lines:
        return bool(_settle(sheet, now))
    return _tell_manager(sheet, lines, now)


def _settle(sheet: HandoverSheet, now: datetime) -> int:
    return HandoverSheet.objects.unsettled().filter(pk=sheet.pk).update(settled_at=now)


def _tell_manager(sheet: HandoverSheet, lines: Sequence[HandoverLine], now: datetime) -> bool:
    """Mail the Support Manager what nobody has accepted, once."""
    if not sheet.is_managers(now) or sheet.manager_told_at is not None:
        return False
    sheet.manager_told_at = now
    sheet.save(update_fields=["manager_told_at"])
    post(not_accepted_letters(sheet, lines, Directory()), now)
    return True


# --- the lines --------------------------------------------------------------------------------------------------


def _add(sheet: HandoverSheet, cases: Iterable[Case], crews: Crews, now: datetime) -> int:
    """Write a line for each of the cases; a hand-over of one that goes on elsewhere ends with it."""
    on_holidays = any(crew.centre.country == "JP" and crew.centre.open_on_holidays for crew in crews.values())
    found = list(cases)
    for at in range(0, len(found), settings.DESK_BATCH):
        some = found[at : at + settings.DESK_BATCH]
        HandoverLine.objects.filter(case__in=[case.pk for case in some], state=OPEN).exclude(sheet=sheet).update(
            state=OVER, state_at=now
        )
        lines = (_line(sheet, one) for one in _standings(some, now, sheet.centre.time_zone, on_holidays))
        HandoverLine.objects.bulk_create(lines, ignore_conflicts=True)
    return len(found)


def _standings(cases: Sequence[Case], now: datetime, zone: str, on_holidays: bool) -> Iterator[StandsAt]:
    """Where they stand. Of a case that cannot be read so much is said: it is handed over all the same (S2)."""
    try:
        with transaction.atomic():
            yield from list(load_standings(cases, now, zone, on_holidays))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(cases) > 1:
            for case in cases:
                yield from _standings([case], now, zone, on_holidays)
            return
        log.exception("hand-over: where %s stands could not be read", cases[0].number)
        [case] = cases
        yield StandsAt(case, f"{Status(case.status).label}. Read the case itself.", [], case.contact.speaks)


def _line(sheet: HandoverSheet, one: StandsAt) -> HandoverLine:
    case = one.case
    assert case.owner is not None  # it belongs to a centre
    return HandoverLine(
        sheet=sheet,
        case=case,
        owner=case.owner,
        severity=case.severity,
        stands=one.stands,
        owed=one.owed,
        due_at=case.next_due_at,
        language=one.language,
    )


# --- leaving early ----------------------------------------------------------------------------------------------


def go_away(actor: User, now: datetime) -> HandoverSheet | None:
    """The actor's day ends now: they are off duty, and what is due before they are back is handed over, to colleagues
    on duty in their own centre if it is open, else to the centre that covers. None if nothing is due until then.

    Raises NotAllowed.
    """
    allow(actor, Right.WORK_CASES, TO_HAND_OVER)
    with transaction.atomic():
        technician = Technician.objects.select_for_update(of=("self",)).filter(user=actor).first()
        if technician is None:
            raise NotAllowed("Only a technician has cases to hand over.")
        sheet = _sheet_of(actor, technician, now)
        if technician.on_duty:
            technician.on_duty = False
            technician._history_user = actor  # type: ignore[attr-defined]
            technician.save(update_fields=["on_duty"])
            directory_changed([technician], now)
    return sheet


def _sheet_of(actor: User, technician: Technician, now: datetime) -> HandoverSheet | None:
    crews = load_crews()
    own = crews[technician.centre_id]
    day = day_cut_short(own.crew.hours, now)
    cases = list(leaving([actor.pk], day, now, is_over=True))
    if not cases:
        return None
    sheet = HandoverSheet.objects.create(centre=own.centre, person=actor, ends_at=now, back_at=day.back_at, made_at=now)
    _add(sheet, cases, crews, now)
    colleagues = own.without(actor)
    if colleagues.languages and own.crew.hours.is_open(now):
        cover: Cover | None = Cover(own.centre.pk, now)
    else:
        cover = _cover(sheet, [crew.crew for crew in crews.values() if crew is not own], now)
    _hand_over(sheet, cover, crews, now)
    return sheet


# --- what people do ---------------------------------------------------------------------------------------------


def accept(sheet_id: int, actor: User, now: datetime, *, lines: Sequence[int] | None = None) -> HandedOn:
    """Accept these cases of a sheet, all by default (W3, C8). Whoever accepts owns them from now on; the cases of an L3
    go to an L3 on duty where an L2 accepts them, and those that a Support Manager accepts who is no technician to who
    is on duty at the centre that covers.

    Raises Refused, NotAllowed, or HandoverSheet.DoesNotExist.
    """
    allow(actor, Right.WORK_CASES, "accept a hand-over")
    with transaction.atomic():
        rows = HandoverSheet.objects.visible_to(actor).select_for_update(of=("self",))
        sheet = rows.select_related("centre", "to_centre", "person").get(pk=sheet_id)
        wanted = sheet.lines.filter(state=OPEN)
        wanted = wanted.filter(pk__in=list(lines)) if lines is not None else wanted
        found = list(wanted.exclude(owner=actor).order_by("case_id"))
        if not found:
            raise Refused(_nothing_to_accept(sheet, actor, lines))
        done = HandedOn()
        for at in range(0, len(found), MOST_AT_ONCE):
            _accept_some(sheet, found[at : at + MOST_AT_ONCE], actor, now, done)
        if sheet.sent_at is not None and not sheet.lines.filter(state=OPEN).exists():
            _settle(sheet, now)
    return done


def _nothing_to_accept(sheet: HandoverSheet, actor: User, lines: Sequence[int] | None) -> str:
    asked = sheet.lines.all() if lines is None else sheet.lines.filter(pk__in=list(lines))
    if asked.filter(state=OPEN, owner=actor).exists():
        return "These are your own cases; keep them, if nobody else is to take them up."
    by = asked.filter(state=ACCEPTED).select_related("accepted_by").order_by("-state_at").first()
    if by is not None:
        return f"{by.accepted_by} has accepted {'it' if lines is not None and len(lines) == 1 else 'them'} already."
    return "Nothing is left to accept here; look at the sheet as it is now."


def _accept_some(
    sheet: HandoverSheet, lines: Sequence[HandoverLine], actor: User, now: datetime, done: HandedOn
) -> None:
    stands = {line.case_id: line.stands for line in lines}
    owners, how = _Owners(sheet, actor, now), f"Handed over from {sheet.giver} to {sheet.receiver}"
    some = accept_many(
        {line.case_id: line.owner_id for line in lines},
        actor,
        now,
        owner_of=owners.of,
        reason_of=lambda case: f"{how}. {stands[case.pk]}",
    )
    by_owner: dict[int, list[int]] = {}
    for change in some.changes:
        by_owner.setdefault(change.after.pk, []).append(change.case.pk)
    for owner_id, case_ids in by_owner.items():
        sheet.lines.filter(case__in=case_ids, state=OPEN).update(
            state=ACCEPTED, state_at=now, accepted_by=actor, new_owner=owner_id
        )
    # What was left has another owner meanwhile, or is resolved.
    sheet.lines.filter(pk__in=[line.pk for line in lines], state=OPEN).update(state=OVER, state_at=now)
    done.changes += some.changes
    done.left |= some.left


class _Owners:
    """Who gets each case that somebody accepts."""

    def __init__(self, sheet: HandoverSheet, actor: User, now: datetime) -> None:
        self.actor, self.centre = actor, sheet.to_centre_id
        self.roster = Roster(now)
        self.is_technician = actor.pk in self.roster.users
        self.is_l3 = self.roster.is_l3(actor.pk)

    def of(self, case: Case) -> User:
        """Raises Refused where there is nobody."""
        was_l3s = self.roster.was_l3(case.owner_id)
        if self.is_technician and (self.is_l3 or not was_l3s):
            return self.actor
        found = self._on_duty(case, l3=True) if was_l3s else None
        if found is None:
            found = self.actor if self.is_technician else self._on_duty(case, l3=False)
        if found is None:
            raise Refused("nobody is on duty who could take it up")
        return found

    def _on_duty(self, case: Case, *, l3: bool) -> User | None:
        """At the centre that covers, else anywhere."""
        wanted = (case.owner_id or 0, Severity(case.severity), case.contact.speaks)
        choice = self.roster.covering(self.centre, *wanted, l3=l3) or self.roster.covering(None, *wanted, l3=l3)
        return self.roster.users[choice.user_id] if choice is not None else None


def keep(line_id: int, actor: User, now: datetime) -> HandoverLine:
    """The owner keeps a case of theirs, or a Support Manager leaves it with them: it is not handed over (W3).

    Raises Refused, NotAllowed, or HandoverLine.DoesNotExist.
    """
    with transaction.atomic():
        line = _own_line(line_id, actor, "keep it")
        _set(line, KEPT, now)
        line.state = KEPT
        if line.sheet.sent_at is not None and not line.sheet.lines.filter(state=OPEN).exists():
            _settle(line.sheet, now)
    return line


def reword(line_id: int, actor: User, now: datetime, text: str) -> HandoverLine:
    """The owner says in their own words where a case stands (W3). Raises Refused, NotAllowed, or as `keep`."""
    said = " ".join(needs(text, "Say in a line where the case stands.", "stands").split())
    if len(said) > LONGEST_LINE:
        raise Refused(
            f"A line has at most {LONGEST_LINE:,} characters, and this has {len(said):,}; shorten it.", "stands"
        )
    with transaction.atomic():
        line = _own_line(line_id, actor, "reword its line")
        HandoverLine.objects.filter(pk=line.pk).update(stands=said, edited_by=actor, edited_at=now)
    return line


def may_change(line: HandoverLine, user: User) -> bool:
    """Whether this person may keep the case or reword its line: its owner, or whoever reassigns (A1)."""
    return user.may(Right.WORK_CASES) and (line.owner_id == user.pk or user.may(Right.REASSIGN))


def _own_line(line_id: int, actor: User, doing: str) -> HandoverLine:
    rows = HandoverLine.objects.visible_to(actor).select_for_update(of=("self",))
    line = rows.select_related("case", "owner", "sheet").get(pk=line_id)
    if not may_change(line, actor):
        raise NotAllowed(f"{line.case.number} is {line.owner}'s: only they or a Support Manager may {doing}.")
    if line.state != OPEN:
        raise Refused(f"{line.case.number} is settled on this sheet: {line.get_state_display().lower()}.")
    return line
