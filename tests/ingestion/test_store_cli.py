"""``aisleflow store files|retract`` and the line options of ``aisleflow quarantine``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli import quarantine, store_days
from include.cli.main import app
from include.errors import ConfigurationError
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, offer, offers


@pytest.fixture
def run(warehouse: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    """Run a command with --json on the test's warehouse; returns exit code and output."""
    from include.cli.common import reported

    @contextmanager
    def here(as_json: bool = False) -> Iterator[tuple[Warehouse, Storage]]:
        with reported(as_json):
            yield warehouse, storage

    for module in (quarantine, store_days):
        monkeypatch.setattr(module, "domain", here)

    def command(*arguments: str) -> tuple[int, Any]:
        done = CliRunner().invoke(app, [*arguments, "--json"])
        return done.exit_code, json.loads(done.stdout)

    return command


@pytest.mark.parametrize(
    ("given", "retailer", "read"),
    [
        ("aldi:G102", None, ("aldi", "G102")),
        ("coles:COL:401", None, ("coles", "COL:401")),
        ("COL:401", "coles", ("coles", "COL:401")),
        ("aldi:G102", "aldi", ("aldi", "G102")),
    ],
)
def test_a_store_is_named_with_its_retailer(given: str, retailer: str | None, read: tuple[str, str]) -> None:
    assert store_days.known_store(given, retailer) == read


@pytest.mark.parametrize("given", ["G102", "tesco:1", "aldi:", "COL:401"])
def test_a_store_without_its_retailer_is_wrong_usage(given: str) -> None:
    with pytest.raises(ConfigurationError, match="give it as retailer:store_id"):
        store_days.known_store(given, None)


def test_a_store_day_is_listed_and_retracted(run: Callable[..., tuple[int, Any]], publish: Callable[..., Any]) -> None:
    publish(TUESDAY, offers(5))
    publish(WEDNESDAY, offers(5, price=2.0))
    code, listed = run("store", "files", "aldi:G1")
    assert code == 0 and [row["file_id"] for row in listed] == [2, 1]

    code, done = run("store", "retract", "aldi:G1", "2", "--why", "a test", "--by", "ann")
    assert (code, done["restored"], done["earlier_retraction"]) == (0, 5, None)
    code, done = run("store", "retract", "aldi:G1", "2", "--why", "a test", "--by", "ann")
    assert code == 0 and done["earlier_retraction"].startswith("ann retracted it")
    code, done = run("store", "retract", "aldi:G1", "7", "--why", "a test")
    assert code == 1 and "not a store-day of aldi:G1" in done["error"]


def test_lines_are_released_one_by_one_or_by_rule(run: Callable[..., tuple[int, Any]], publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), offer("9", 4.5, name="Donation Tin"), offer("10", -1, name="Donation")])
    code, done = run("quarantine", "release", "1", "--rule", "donation", "--why", "a tin", "--by", "ann")
    assert (code, done["decided"], list(done["refused"])) == (3, 1, ["7"]), "one is published, one cannot be"
    code, done = run("quarantine", "release", "1", "--line", "7", "--why", "again")
    assert code == 1 and "not above zero" in done["refused"]["7"]
    code, done = run("quarantine", "discard", "1", "--line", "7", "--why", "a template")
    assert (code, done["decided"]) == (0, 1)
    assert run("quarantine", "list") == (0, {"held": [], "lines": []})
    assert run("quarantine", "recheck") == (0, {"lines": [], "held": []})
    code, found = run("quarantine", "show", "1")
    assert [one["choice"] for one in found["decisions"]] == ["release", "discard"] and found["next"] == []
    code, done = run("quarantine", "release", "1", "--batch", "--line", "7", "--why", "x")
    assert code == 2 and "Give one of them" in done["error"]
