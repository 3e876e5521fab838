"""How moments are written, and that the order of day and month comes from the whole file (pure)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.incidents.dates import Moments, Order
from cases.incidents.log import Log, NotALog, ReadOptions, read_log
from cases.incidents.words import Bad
from tests.cases.incidents.test_log import lines_of, march

LEAP_DAY = datetime(2016, 2, 29, 13, 23, tzinfo=UTC)


def parsed(text: str, order: Order | None = None, zone: tzinfo = UTC) -> datetime:
    return Moments(order, zone)[text]


@pytest.mark.parametrize(
    "text",
    [
        "2016-02-29 13:23:00", "2016-02-29T13:23", "2016-02-29T13:23:00Z", "2016-02-29 14:23:00+01:00",
        "2016-02-29T13:23:00.000+0000", "2016/2/29 13:23", "29/2/2016 13:23", "29-02-2016 13:23:00", "29.02.2016 13:23",
        "2/29/2016 1:23 PM", "2/29/2016, 01:23:00 p.m.", "29-Feb-2016 13:23", "Feb 29, 2016 1:23 PM",
        " 29/2/2016  13:23 ", "42429.5576388889", "29/02/2016 13:23 UTC",
    ],
)  # fmt: skip
def test_a_moment_is_read_as_people_and_programs_write_it(text: str) -> None:
    assert parsed(text) == LEAP_DAY


@pytest.mark.parametrize(
    "text",
    [
        "", "?", "31/2/2016 10:00", "2016-02-30", "29-02-16 10:00", "1/1/1969 10:00", "1/1/0001 10:00", "tomorrow",
        "29/2/2016 24:00", "29/2/2016 13:23 PM", "29/2-2016 10:00", "2016-02-29 10:00 EST", "123", "12345", "99999.5",
        "29/2/2016 10", "30/30/2016 10:00", "29 Foo 2016 10:00", "2016-02-29 10:00+99:00", "２９/2/2016 10:00",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_not_read_as_one(text: str) -> None:
    with pytest.raises(Bad, match="is not a time"):
        parsed(text)


def test_a_year_of_two_digits_is_read_in_an_order_that_was_said_and_never_guessed() -> None:
    for text in ("29.2.16 13:23", "2/29/16 1:23 PM", "16/2/29 13:23"):
        with pytest.raises(Bad, match="has a year of two digits; write four, or say --date-order"):
            parsed(text)
    assert parsed("29.2.16 13:23", Order.DAY_FIRST) == parsed("2/29/16 1:23 PM", Order.MONTH_FIRST) == LEAP_DAY


def test_a_day_alone_is_its_midnight() -> None:
    assert parsed("3/15/2016") == datetime(2016, 3, 15, tzinfo=UTC)


def test_a_moment_without_an_offset_is_in_the_zone_of_the_log_and_one_with_an_offset_is_not() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parsed("1/3/2016 08:00", zone=berlin) == march(1, 7)
    assert parsed("1/7/2016 08:00", zone=berlin) == datetime(2016, 7, 1, 6, tzinfo=UTC)
    assert parsed("2016-03-01T08:00Z", zone=berlin) == march(1, 8)


def log_of(*moments: str, order: Order | None = None) -> Log:
    """A log of one incident with an update at each moment, opened at the first."""
    rows = [{"opened_at": moments[0], "sys_updated_at": moment, "assigned_to": moment} for moment in moments]
    return read_log(lines_of(*rows), options=ReadOptions(order))


def days_of(log: Log) -> list[str]:
    assert log.bad_rows == []
    return [f"{state.at:%d %b}" for state in log.incidents[0].states]


def test_one_moment_that_has_the_month_first_makes_all_of_the_file_month_first() -> None:
    log = log_of("3/1/2016 08:00", "3/2/2016 08:00", "3/15/2016 08:00")
    assert days_of(log) == ["01 Mar", "02 Mar", "15 Mar"]
    assert (log.ended_at, log.notes[0]) == (
        march(15, 8),
        "The month is read first, as “3/15/2016 08:00” proves.",
    )


def test_one_moment_that_has_the_day_first_leaves_all_of_the_file_day_first() -> None:
    log = log_of("1/3/2016 08:00", "2/3/2016 08:00", "15/3/2016 08:00")
    assert (days_of(log), log.notes) == (["01 Mar", "02 Mar", "15 Mar"], [])


def test_without_a_proof_the_day_is_first_and_the_log_says_that_nothing_proves_it() -> None:
    log = log_of("1/3/2016 08:00", "2/3/2016 08:00")
    assert days_of(log) == ["01 Mar", "02 Mar"]
    assert (
        "No time tells whether the day or the month comes first, so “1/3/2016 08:00” is read day first" in log.notes[0]
    )
    assert days_of(log_of("1/3/2016 08:00", "2/3/2016 08:00", order=Order.MONTH_FIRST)) == ["03 Jan", "03 Feb"]
    assert log_of("2016-03-01 08:00", "3/3/2016 08:00").notes == []


@pytest.mark.parametrize("moments", [("1/3/2016", "15/3/2016", "3/16/2016"), ("3/16/2016", "1/3/2016", "15/3/2016")])
def test_a_file_that_proves_both_orders_is_refused_with_both(moments: tuple[str, ...]) -> None:
    with pytest.raises(NotALog, match=r"day first \(“15/3/2016”\) and some the month \(“3/16/2016”\).*--date-order"):
        log_of(*moments)


def test_with_an_order_that_was_said_what_does_not_fit_holds_its_incident_back() -> None:
    log = log_of("1/3/2016", "15/3/2016", "3/16/2016", order=Order.DAY_FIRST)
    assert [(bad.line, bad.number) for bad in log.bad_rows] == [(4, "INC1")]
    assert log.whole == []


moments = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001
    datetime(2069, 12, 31),  # noqa: DTZ001
).map(lambda moment: moment.replace(microsecond=0))


@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(Order))
def test_a_file_in_one_order_is_read_as_it_was_written_once_it_has_a_proof(days: list[datetime], order: Order) -> None:
    form = "%d/%m/%Y %H:%M:%S" if order is Order.DAY_FIRST else "%m/%d/%Y %H:%M:%S"
    proof = datetime(2001, 7, 31)  # noqa: DTZ001
    reading = Moments(None, UTC)
    texts = [f"{day:{form}}" for day in [*days, proof]]
    for text in texts:
        reading[text]
    assert not reading.contradict
    reading.decide()
    assert [reading[text].replace(tzinfo=None) for text in texts] == [*days, proof]


@given(moments)
def test_the_number_of_a_spreadsheet_is_the_moment_to_the_second(moment: datetime) -> None:
    days = (moment - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001
    assert parsed(f"{days:.10f}").replace(tzinfo=None) == moment
