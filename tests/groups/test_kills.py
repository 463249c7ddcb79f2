"""The maintenance of groups killed (SIGKILL) at any moment and run again, and twice at once: the same groups as of one quiet pass."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from include import clock
from include.groups.cooldown import CooldownFile, cooled_pairs
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.conftest import NOW, Server
from tests.groups.conftest import SMALL, confirm, publish_stores
from tests.groups.looking import causes, groups, requests, whole
from tests.warehouse.looking import rows

STORES = [f"G{number}" for number in range(1, 9)]
OTHER = {str(number): 2.0 for number in range(1, 20)}
UNIQUE = {str(number): 3.0 for number in range(5, 30)}
#: Moments in ``make test``; the campaign takes all.
SAMPLE = 8

#: Runs a pass that is killed at an event; returns how its processes ended, and the number of events.
RunPass = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def passes() -> Iterator[subprocess.Popen[str]]:
    """Return the process that runs passes in children of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.groups.killed_pass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)


@pytest.fixture
def run_pass(passes: subprocess.Popen[str], storage: Storage) -> RunPass:
    def run(warehouse: Warehouse, kill_at: int | None = None, at_once: int = 1) -> dict[str, Any]:
        order = {"url": warehouse.url, "storage": storage.url, "now": NOW, "settings": SMALL, "kill_at": kill_at, "at_once": at_once}
        assert passes.stdin is not None and passes.stdout is not None
        passes.stdin.write(json.dumps(order) + "\n")
        passes.stdin.flush()
        done: dict[str, Any] = json.loads(passes.stdout.readline())
        return done

    return run


def prepare(warehouse: Warehouse, postgres: Server, storage: Storage, run_pass: RunPass) -> None:
    """Publish two nights with a pass after the first: one member has left the prices of its group, and two stores fit into groups."""
    storage.remove("groups/cooldown-aldi.json")
    warehouse.close()
    postgres.empty(warehouse.url.partition("?")[0].rsplit("/", 1)[1])
    confirm(warehouse, STORES[:7])
    publish_stores(
        warehouse, storage, {"G1": {}, "G2": {}, "G3": {}, "G4": {}, "G5": OTHER, "G6": OTHER, "G7": UNIQUE}, at="2026-11-18T04:30:00+11:00"
    )
    assert run_pass(warehouse)["ends"] == [0]
    assert groups(warehouse) == {"G1": {"G1", "G2", "G3", "G4"}, "G5": {"G5", "G6"}, "G7": {"G7"}}
    confirm(warehouse, STORES)
    publish_stores(warehouse, storage, {"G1": {}, "G2": OTHER, "G3": {}, "G8": {}}, at="2026-11-18T05:30:00+11:00")


def outcome(warehouse: Warehouse, storage: Storage) -> dict[str, Any]:
    """Return all that a pass leaves behind, by names."""
    whole(warehouse)
    cooldown = CooldownFile(storage, "aldi", 7)
    rounds = cooldown.read(clock.now())
    evidence = rows(
        warehouse,
        "SELECT l.store_id AS l, r.store_id AS r, purpose, common, equal, is_match, differences FROM ops.store_comparison JOIN core.store AS l ON l.store_key = left_store_key JOIN core.store AS r ON r.store_key = right_store_key",
    )
    flagged = rows(
        warehouse,
        "SELECT store_id FROM core.store_group_member JOIN core.store USING (store_key) WHERE until_at IS NULL AND flagged_at IS NOT NULL",
    )
    return {
        "groups": groups(warehouse), "requests": requests(warehouse), "causes": {store: causes(warehouse, store) for store in STORES},
        "evidence": sorted(str(row) for row in evidence), "flagged": flagged, "cooled": cooled_pairs(rounds, STORES).tolist(),
    }  # fmt: skip


@pytest.fixture
def quiet(warehouse: Warehouse, postgres: Server, storage: Storage, run_pass: RunPass) -> tuple[dict[str, Any], int]:
    """Return what one pass without a kill leaves behind, and its number of events."""
    prepare(warehouse, postgres, storage, run_pass)
    done = run_pass(warehouse)
    assert done["ends"] == [0]
    expected = outcome(warehouse, storage)
    assert expected["groups"] == {"G1": {"G1", "G3", "G4", "G8"}, "G5": {"G2", "G5", "G6"}, "G7": {"G7"}}
    assert expected["requests"] == {"G4": "another store left its group: to be verified"}
    return expected, int(done["events"])


def kill_at(
    moments: list[int], expected: dict[str, Any], warehouse: Warehouse, postgres: Server, storage: Storage, run_pass: RunPass
) -> None:
    for moment in moments:
        prepare(warehouse, postgres, storage, run_pass)
        assert run_pass(warehouse, kill_at=moment)["ends"] == [-9], f"killed at event {moment}"
        cached = storage.read("groups/cooldown-aldi.json")
        assert isinstance(json.loads(cached), list), "the file is whole at any moment"
        assert run_pass(warehouse)["ends"] == [0]
        assert outcome(warehouse, storage) == expected, f"killed at event {moment}"


def test_a_pass_that_is_killed_and_run_again_leaves_what_a_quiet_one_leaves(
    quiet: tuple[dict[str, Any], int], warehouse: Warehouse, postgres: Server, storage: Storage, run_pass: RunPass
) -> None:
    expected, events = quiet
    assert events > 20
    moments = random.Random(15).sample(range(events), SAMPLE)
    kill_at(moments, expected, warehouse, postgres, storage, run_pass)


@pytest.mark.campaign
def test_killed_at_every_moment(
    quiet: tuple[dict[str, Any], int], warehouse: Warehouse, postgres: Server, storage: Storage, run_pass: RunPass
) -> None:
    expected, events = quiet
    kill_at(list(range(events)), expected, warehouse, postgres, storage, run_pass)


def test_two_passes_at_once_leave_what_one_leaves(
    quiet: tuple[dict[str, Any], int], warehouse: Warehouse, postgres: Server, storage: Storage, run_pass: RunPass
) -> None:
    prepare(warehouse, postgres, storage, run_pass)
    assert run_pass(warehouse, at_once=3)["ends"] == [0, 0, 0]
    assert outcome(warehouse, storage) == quiet[0]
