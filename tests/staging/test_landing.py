"""Landed pages: unchanged, without secrets, resumable, and an error when damaged."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include.errors import TerminalError
from include.model.store import StoreRef
from include.staging.landing import LandedRun, Landing, PageResponse, UnreadableLanding, folder_of, landed_runs, prune_landing, subset
from include.staging.storage import Storage

NIGHT = date(2026, 11, 18)
STORE = StoreRef("coles", "COL:401", "Firle", "SA", "0401")
AT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


def answer(body: bytes = b'{"a": 1}') -> PageResponse:
    return PageResponse(
        method="POST", url="http://127.0.0.1/x", params={"slug": ["a", "b"]}, json={"page": 1}, status=200,
        headers={"content-type": "application/json"}, elapsed_seconds=0.25, observed_at=AT, body=body,
    )  # fmt: skip


def resume(storage: Storage) -> Landing:
    return Landing.resume(storage, STORE, NIGHT, "run", hours=6, table_etags={})


@pytest.mark.parametrize("body", [b"", b"\n", b'{"a":\n 1}\n', "<html>é</html>".encode(), bytes(range(256))])
def test_a_response_is_read_back_unchanged(storage: Storage, body: bytes) -> None:
    resume(storage).put("dairy/milk--1", answer(body))

    found = resume(storage).get("dairy/milk--1")

    assert found is not None
    assert {name: getattr(found, name) for name in PageResponse.__struct_fields__} == {
        name: getattr(answer(body), name) for name in PageResponse.__struct_fields__
    }


def test_the_path_of_pages_names_retailer_store_night_and_run(storage: Storage) -> None:
    landing = resume(storage)
    landing.put("dairy/milk--1", answer())

    assert Path(storage.full("landing/coles/COL%3A401/2026-11-18--run/dairy%2Fmilk--1.gz")).exists()
    assert list(landing.pages()) == ["dairy/milk--1"]
    assert list(landed_runs(storage, STORE.retailer, STORE.store_id)) == [LandedRun(STORE.store_id, NIGHT, "run")]


def test_a_store_id_cannot_leave_its_folder(storage: Storage) -> None:
    assert folder_of(StoreRef("coles", "COL:401"), NIGHT, "run") == "landing/coles/COL%3A401/2026-11-18--run"
    with pytest.raises(TerminalError, match="store id"):
        folder_of(StoreRef("coles", "../../x"), NIGHT, "run")
    with pytest.raises(TerminalError, match="run key"):
        folder_of(STORE, NIGHT, "../x")


def test_a_later_response_for_the_same_page_replaces_it(storage: Storage) -> None:
    landing = resume(storage)
    landing.put("tree", answer(b"1"))
    landing.put("tree", answer(b"2"))

    assert getattr(landing.get("tree"), "body", None) == b"2"


@pytest.mark.parametrize(
    ("begun", "retried", "resumes"),
    [
        ("2026-11-18T17:00:00+00:00", "2026-11-18T22:59:00+00:00", True),
        ("2026-11-18T17:00:00+00:00", "2026-11-18T23:00:00+00:00", False),  # six hours
        ("2026-11-17T13:00:00+00:00", "2026-11-17T13:29:00+00:00", True),  # Tuesday 23:59 in Adelaide
        ("2026-11-17T13:00:00+00:00", "2026-11-17T13:31:00+00:00", False),  # Wednesday 00:01 there
        ("2026-11-18T17:00:00+00:00", "2026-11-18T16:00:00+00:00", False),  # the sandbox's clock was set back
    ],
)
def test_a_store_day_is_resumed_or_started_over(
    storage: Storage, fixed_clock: Callable[[str], None], begun: str, retried: str, resumes: bool
) -> None:
    fixed_clock(begun)
    resume(storage).put("tree", answer())
    fixed_clock(retried)

    found = resume(storage)

    assert (found.get("tree") is not None) == resumes
    assert found.started_at == datetime.fromisoformat(begun if resumes else retried)


def test_past_nights_of_any_age_can_be_read_again(storage: Storage, fixed_clock: Callable[[str], None]) -> None:
    resume(storage).put("tree", answer())
    fixed_clock("2027-05-01T00:00:00+00:00")

    assert Landing.open_existing(storage, STORE, NIGHT, "run").get("tree") is not None


def test_a_run_that_landed_nothing_is_named(storage: Storage) -> None:
    with pytest.raises(TerminalError, match=r"landing/coles/COL%3A401/2026-11-18--gone: no landed pages"):
        Landing.open_existing(storage, STORE, NIGHT, "gone")


@pytest.mark.parametrize(
    "damage",
    [b"", b"no gzip", gzip.compress(b"no header"), gzip.compress(b"[1]\nx"), gzip.compress(b"x" * 99)[:20]],
    ids=["empty", "no gzip", "no header", "header is a list", "cut short"],
)
def test_damage_is_reported_with_the_file(storage: Storage, damage: bytes) -> None:
    landing = resume(storage)
    storage.write(f"{landing.folder}/tree.gz", damage)

    with pytest.raises(UnreadableLanding, match=r"2026-11-18--run/tree.gz: not a landed page"):
        landing.get("tree")


def test_a_truncated_marker_starts_over(storage: Storage) -> None:
    storage.write(f"{folder_of(STORE, NIGHT, 'run')}/begun.json", b'{"begun')

    assert resume(storage).get("tree") is None


def test_only_harmless_headers_are_landed() -> None:
    sent = {"Content-Type": "text/html", "Set-Cookie": "s", "ocp-apim-subscription-key": "k", "Authorization": "a", "Retry-After": "3"}

    assert subset(sent) == {"content-type": "text/html", "retry-after": "3"}


def test_landed_store_days_are_found_by_retailer_store_and_night(storage: Storage) -> None:
    for store_id, night in (("COL:2", date(2026, 11, 18)), ("COL:1", date(2026, 11, 18)), ("COL:1", date(2026, 11, 17))):
        Landing.resume(storage, StoreRef("coles", store_id), night, "run", hours=6, table_etags={})

    assert [(run.store_id, run.night.day) for run in landed_runs(storage, "coles")] == [("COL:1", 17), ("COL:1", 18), ("COL:2", 18)]
    assert [run.store_id for run in landed_runs(storage, "coles", None, date(2026, 11, 18))] == ["COL:1", "COL:2"]
    assert list(landed_runs(storage, "iga")) == list(landed_runs(storage, "coles", "COL:9")) == []


def test_only_pages_past_their_retention_period_are_removed(storage: Storage) -> None:
    for day in (10, 11, 12):
        Landing.resume(storage, STORE, date(2026, 11, day), "run", hours=6, table_etags={}).put("tree", answer())

    assert prune_landing(storage, ["aldi", "coles"], date(2026, 11, 12)) == 2
    assert prune_landing(storage, ["aldi", "coles"], date(2026, 11, 12)) == 0
    assert [run.night.day for run in landed_runs(storage, "coles")] == [12]
