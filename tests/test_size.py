"""Pages and sweeps that do not get slower with the desk: the same number of queries with 30 and with 3,000 cases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases.bulk import insert
from cases.engine.history import write_history
from cases.enums import Channel, Direction, Severity
from cases.models import Case, Interaction
from tests.support.builders import NOON, Desk

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def fill(desk: Desk, number: int) -> None:
    """So many open cases, as an import would write them."""
    insert(
        [
            Case(
                company=desk.company,
                contact=desk.contact,
                title=f"Case {index}",
                severity=list(Severity)[index % 4],
                owner=desk.technician,
                opened_at=NOON,
                changed_at=NOON,
                escalation_check_at=NOON + HOUR,
            )
            for index in range(number)
        ]
    )
    write_history(((case, NOON, "Filled in.") for case in Case.objects.iterator()), kind="+")
    call_command("reindex_search", verbosity=0)


def queries(client: Client, address: str) -> int:
    client.get(address)  # what is cached once per process does not count
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.any_database
@pytest.mark.slow
def test_list_page_and_case_page_ask_no_more_with_3_000_cases_than_with_30(desk: Desk, client: Client) -> None:
    case = desk.open_case()
    for hour in range(30):
        Interaction.objects.create(
            case=case, channel=Channel.PHONE, direction=Direction.IN, at=NOON + hour * HOUR, body="Hello",
            by=desk.technician, contact=desk.contact,
        )  # fmt: skip
    addresses = [
        "/admin/",
        "/admin/cases/case/",
        "/admin/cases/case/?queue=open",
        "/admin/cases/case/?queue=all&q=Case+7",
        "/admin/cases/case/?queue=all&p=2",
        case.get_absolute_url(),
        f"{case.get_absolute_url().removesuffix('change/')}history/",
    ]
    fill(desk, 30)
    counted = {}
    for person in (desk.technician, desk.account_manager, desk.manager):
        client.force_login(person)
        counted[person] = {address: queries(client, address) for address in addresses}
    fill(desk, 2_970)
    for person, few in counted.items():
        client.force_login(person)
        many = {address: queries(client, address) for address in addresses}
        # a search that finds more than it shows asks up to twice more: for titles, and whether there are others
        most = {address: count + 2 * ("q=" in address) for address, count in few.items()}
        assert {address: count for address, count in many.items() if count > most[address]} == {}
        assert max(few.values()) <= 65, few  # the Support Manager's desk, over all cases
