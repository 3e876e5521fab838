"""What is promised on a case as work of its owner (W1): the first response and the status updates (T1, T2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cases.enums import WorkKind
from cases.models import Case
from cases.work_items import SUPPORT_MANAGER, WorkItem, work_source
from contacts.enums import Right
from contacts.models import User
from contacts.wording import and_list
from escalations.enums import Member
from escalations.points.decide import SweepContext, responder
from escalations.policy.explain import the
from escalations.policy.sla import Target
from escalations.sla.state import SlaState, load_sla_states_for_page


@work_source
def promises(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """The first response and the updates that are owed; ten queries, and four more while an owner is off duty, for
    whom somebody stands in (E8).
    """
    states, context = load_sla_states_for_page(cases), SweepContext(now)
    for case in cases:
        owed = [*_response(states[case.pk]), *_updates(states[case.pk])] if case.is_open else []
        if owed:
            who, for_reader = expected(case, reader, context)
            for kind, act, due_at, since, to_customer in owed:
                action = "log_contact" if kind == WorkKind.RESPONSE else "give_update"
                yield WorkItem(case, kind, act, due_at, since, who, for_reader, action, owed_to_customer=to_customer)


Owed = tuple[WorkKind, str, datetime, datetime, bool]


def expected(case: Case, reader: User, context: SweepContext) -> tuple[str, bool]:
    """Who is expected to act for a case, and whether that is the reader: the owner, while they are off duty whoever
    stands in (E8), without an owner whoever gives cases on (C6).
    """
    if case.owner is None:
        return SUPPORT_MANAGER, reader.may(Right.REASSIGN)
    acts = responder(case.owner, case, context) or case.owner
    return str(acts), reader.pk in (case.owner_id, acts.pk)


def _response(state: SlaState) -> Iterator[Owed]:
    response = state.open_response
    if response is not None:
        yield WorkKind.RESPONSE, "First response", response.due_at, response.since, True


def _updates(state: SlaState) -> Iterator[Owed]:
    """One item for all the members whose updates are due in the same minute."""
    together: dict[datetime, list[Target]] = {}
    for target in state.running:
        together.setdefault(target.due_at.replace(second=0, microsecond=0), []).append(target)
    for targets in together.values():
        members = [target.member for target in targets]
        due_at, since = min((target.due_at, target.since) for target in targets)
        yield WorkKind.UPDATE, _update_act(members), due_at, since, Member.CUSTOMER in members


def _update_act(members: Sequence[Member]) -> str:
    """“Tell the customer and the COO where it stands”."""
    in_order = [member for member in Member if member in members]
    return f"Tell {and_list(the(member) for member in in_order)} where it stands"
