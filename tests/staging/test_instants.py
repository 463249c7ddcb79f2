"""Every date and time format of staged lines."""

from __future__ import annotations

import pytest

from include.model.instants import line_instant, read_instant
from include.model.offer import decode


@pytest.mark.parametrize(
    ("text", "state", "utc"),
    [
        ("2026-11-18T04:30:00+11:00", "WA", "2026-11-17T17:30"),  # aware: the state is ignored
        ("2026-11-17T17:30:00Z", None, "2026-11-17T17:30"),
        ("2026-11-18T04:30:00", "VIC", "2026-11-17T17:30"),  # naive: the store's local time
        ("2026-11-18T04:30:00", "qld", "2026-11-17T18:30"),
        ("2026-11-18T04:30:00", "WA", "2026-11-17T20:30"),
        ("2026-11-18T04:30:00", "NT", "2026-11-17T19:00"),
        ("2026-11-18 04:30:00.123456", "SA", "2026-11-17T18:00"),
        ("2026-11-18T04:30:00", None, "2026-11-17T17:30"),  # unknown state: Melbourne
        ("2026-11-18T04:30:00", "XX", "2026-11-17T17:30"),
        ("2026-11-18", "NSW", "2026-11-18T01:00"),  # a bare date: 12:00 local
        ("2026-07-18", "NSW", "2026-07-18T02:00"),
        ("2026-11-18", "QLD", "2026-11-18T02:00"),
        ("20261118", "QLD", "2026-11-18T02:00"),  # every ISO form of a bare date
        ("2026-W47-3", "QLD", "2026-11-18T02:00"),
        ("2026W473", "QLD", "2026-11-18T02:00"),
        ("20261118T043000", "QLD", "2026-11-17T18:30"),
        ("2026-10-04T01:59:00", "VIC", "2026-10-03T15:59"),  # the clocks go forward at 2:00 that night
        ("2026-10-04T03:00:00", "VIC", "2026-10-03T16:00"),
        ("2026-04-05T01:59:00", "VIC", "2026-04-04T14:59"),  # and back at 3:00 that one
        ("2026-04-05T03:00:00", "VIC", "2026-04-04T17:00"),
    ],
)  # fmt: skip
def test_instants(text: str, state: str | None, utc: str) -> None:
    found = read_instant(text, state)
    assert found is not None and found.isoformat()[:16] == utc and found.utcoffset() is not None


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "18/11/2026", "2026-13-01", "2026-11-18T25:00:00", "20261118T", "0001-01-01T00:00:00", "9999-12-31T23:59:59-10:00"],
)
def test_invalid_instants(text: str) -> None:
    found = read_instant(text, "VIC")
    assert found is None or found.year == 1  # the first year is valid, the hours before it in UTC are not


def test_metadata_takes_precedence_over_the_product() -> None:
    line = decode(b'{"product": {"scraped_date": "2026-11-10"}, "metadata": {"scraped_date": "2026-11-11", "state": "qld"}}')
    found = line_instant(line)
    assert found is not None and found.isoformat() == "2026-11-11T02:00:00+00:00"
    older = line_instant(decode(b'{"product": {"scraped_date": "2026-11-10"}, "metadata": {}}'))
    assert older is not None and older.day == 10


@pytest.mark.parametrize("value", [b"5", b"null", b'["2026-11-18"]', b"{}"])
def test_a_time_of_another_type_is_none(value: bytes) -> None:
    assert line_instant(decode(b'{"product": {}, "metadata": {"scraped_at": ' + value + b"}}")) is None
