"""The cards of My desk: the list of what is wanted, tonight, duty, and the centres for whoever watches over them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.urls import reverse
from django.utils import timezone

from cases.dashboard import Card, Figure, card, listed, watches
from cases.enums import WorkGroup
from cases.models import Case
from cases.my_desk.centres import centres_now
from cases.my_desk.state import READ, TONIGHT_NAMED, WorkDesk, desk_of
from cases.policy.work_order import PRESSING_WITHIN
from cases.search.query import readable_by
from cases.work_items import NextByDesk
from contacts.enums import Right
from contacts.models import Technician, User

HOUR = timedelta(hours=1)
NEWEST_WITHIN, NEWEST_SHOWN = timedelta(days=7), 5


@card(place=20)
def work_cards(user: User, now: datetime) -> list[Card]:
    """The list of what is wanted, and what the desk does by itself; nothing for somebody without a role."""
    if not any(user.may(right) for right in Right):
        return []
    zone = timezone.get_current_timezone()
    desk = desk_of(user, now, zone)
    cards = [_list_card(user, desk, now)]
    if desk.tonight:
        cards.append(_tonight_card(desk, now, zone))
    return cards


def _list_card(user: User, desk: WorkDesk, now: datetime) -> Card:
    own = not watches(user)
    address = reverse("admin:cases_case_changelist")
    title = "What is wanted of me" if own else "What needs somebody"
    link, text = (f"{address}?queue=mine", "All my cases") if own else (f"{address}?queue=open", "All open cases")
    empty = "Nothing is wanted of you. Time for a coffee." if own else "Nothing waits for anybody. A good day."
    if watches(user) and not user.may(Right.WATCH_THE_ENGINE):
        title, empty = "What my customers are owed next", "Nothing is open at your companies. A good day."
    context = {
        "groups": desk.groups,
        "watched": desk.watched,
        "is_cut": desk.is_cut,
        "read": READ,
        "empty": empty,
        "link": link,
        "open_a_case": reverse("admin:cases_case_add") if user.may(Right.WORK_CASES) else "",
    }
    return Card(title, "admin/desk/work.html", context, link=link, link_text=text, figures=_figures(user, desk, now))


def _figures(user: User, desk: WorkDesk, now: datetime) -> tuple[Figure, ...]:
    """What the strip at the top says: how much presses."""
    address = reverse("admin:cases_case_changelist")
    queue = f"{address}?queue={'open' if watches(user) else 'mine'}"
    wanted = [row for row in desk.rows if row.item is not None]
    overdue = [row for row in wanted if row.item is not None and row.item.is_overdue(now)]
    soon = [row for row in wanted if row not in overdue and row.at is not None and row.at <= now + HOUR]
    decide = [row for row in wanted if row.group == WorkGroup.DECIDE]
    figures = [
        Figure(desk.counted(overdue), "overdue", queue, is_pressing=bool(overdue), place=5),
        Figure(desk.counted(soon), "due within the hour", queue, is_pressing=bool(soon), place=6),
    ]
    if user.may(Right.DECIDE_REQUESTS) or user.may(Right.DECIDE_PASSED_ON):
        figures.append(Figure(desk.counted(decide), "to decide", is_pressing=bool(decide), place=4))
    figures += [
        Figure(work.count, work.noun, work.url, is_pressing=work.is_overdue(now), place=7) for work in desk.shared
    ]
    return tuple(figures)


@dataclass(frozen=True)
class TonightLine:
    """Something that the desk does by itself, with its time for the reader."""

    coming: NextByDesk
    clock: str
    is_soon: bool


def _tonight_card(desk: WorkDesk, now: datetime, zone: tzinfo) -> Card:
    lines = [
        TonightLine(one, f"{one.at.astimezone(zone):%H:%M}" if one.at > now else "now", one.at <= now + PRESSING_WITHIN)
        for one in desk.tonight[:TONIGHT_NAMED]
    ]
    context = {"lines": lines, "more": len(desk.tonight) - len(lines), "is_cut": desk.is_cut}
    return Card("If nobody acts, in the next 12 hours", "admin/desk/tonight.html", context, aside=True)


@card(place=62)
def newest_cases(user: User, now: datetime) -> Card | None:
    """What came in at the companies of an account manager or customer engineer within a week (A1); two queries, which
    read the cases of that week.
    """
    if not watches(user) or user.may(Right.WATCH_THE_ENGINE):
        return None
    rows = readable_by(user, Case.objects.filter(opened_at__gt=now - NEWEST_WITHIN)).order_by("-opened_at", "-pk")
    newest = listed(rows.select_related("company", "owner"), NEWEST_SHOWN)
    link = f"{reverse('admin:cases_case_changelist')}?queue=everything"
    return Card(
        "Came in this week", "admin/desk/newest.html", newest.context, link=link, link_text="All cases", aside=True
    )


# --- people -----------------------------------------------------------------------------------------------------


@card(place=24, right=Right.WORK_CASES)
def my_duty(user: User, now: datetime) -> Card | None:
    """The technician's switch between on duty and away (C6)."""
    technician = Technician.objects.filter(user=user).select_related("centre").first()
    if technician is None:
        return None
    context = {"technician": technician, "switch": reverse("admin:contacts_technician_own_duty")}
    return Card("On duty", "admin/desk/duty.html", context, on_top=True)


@card(place=26, right=Right.WATCH_THE_ENGINE)
def centres(user: User, now: datetime) -> Card:
    """Which centres are in their business day, who is on duty there, with how much, and the languages nobody covers."""
    return Card(
        "Centres",
        "admin/desk/centres.html",
        {"now": centres_now(now)},
        link=reverse("admin:contacts_technician_changelist"),
        link_text="All technicians",
    )
