"""Every statement of ``sql/`` is executed, twice, in real flows, and keeps its header's promises. A new file without a scenario fails."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.sql.twice import PROMISES, RepeatChecker, files, header, promise, scenarios, twice
from tests.warehouse.looking import contents

ROOT = Path(__file__).resolve().parents[2]
FILES = files()


@pytest.fixture(scope="module")
def checkers() -> dict[str, RepeatChecker]:
    """The statements executed by each scenario; filled by the first test."""
    return {}


@pytest.mark.parametrize("scenario", [path.stem for path in scenarios()])
def test_a_scenario_runs_every_statement_twice(
    scenario: str,
    make_warehouse: Callable[..., Warehouse],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    checkers: dict[str, RepeatChecker],
) -> None:
    run_scenario = importlib.import_module(f"tests.sql.{scenario}").run_scenario
    # one thread: what another one commits in between would count as written by the statement on trial
    run_twice, plain = make_warehouse(ingest_workers=1), make_warehouse(ingest_workers=1)
    with twice(monkeypatch) as seen:
        run_scenario(run_twice, Storage(f"file://{tmp_path / 'run_twice'}"))
    checkers[scenario] = seen
    assert seen.broken == []
    run_scenario(plain, Storage(f"file://{tmp_path / 'plain'}"))
    assert contents(run_twice) == contents(plain), "a night in which everything ran twice ends like any other"


def test_every_file_is_executed(checkers: dict[str, RepeatChecker]) -> None:
    if len(checkers) < len(scenarios()):
        pytest.skip("needs the scenarios above in the same run")
    executed = {name for seen in checkers.values() for name in seen.executed}
    assert sorted(set(FILES) - executed) == [], "add a scenario_<subject>.py whose run_scenario() executes these"


def test_statements_write_only_the_tables_in_their_headers(checkers: dict[str, RepeatChecker]) -> None:
    if len(checkers) < len(scenarios()):
        pytest.skip("needs the scenarios above in the same run")
    for name in FILES:
        written = {table for seen in checkers.values() for table in seen.written.get(name, ())}
        declared = header(FILES[name]).get("Writes", "")
        missing = sorted(table for table in written if not re.search(rf"\b{table}\b", declared))
        assert missing == [], f"{name} writes {missing}, its header does not list them"


@pytest.mark.parametrize("name", FILES)
def test_headers(name: str) -> None:
    text, declared = FILES[name], header(FILES[name])
    assert re.match(r"-- [A-Z].*[.:]\n", text), "the first line describes the statement"
    assert {"Called by", "Run again"} <= set(declared) and {"Reads", "Writes"} & set(declared), (
        f"header lines are missing: {sorted(declared)}"
    )
    assert promise(text) in PROMISES, f"`Run again` begins with one of {sorted(PROMISES)}"
    callers = re.findall(r"\b(?:include|dags|plugins)/\S+?\.py\b", declared["Called by"])
    assert callers, "`Called by` names a file"
    for caller in callers:
        assert mentions((ROOT / caller).read_text(), name), f"{caller} does not mention {name}"


def mentions(code: str, name: str) -> bool:
    """Does this code load the statement: by its whole name, or by the part a loop over names fills in?"""
    subject, verb = name.split("/")
    if f'"{name}"' in code:
        return True
    return f'f"{subject}/{{' in code and f'"{verb}"' in code


def test_parameters_in_the_header_are_those_of_the_statement() -> None:
    for name, text in FILES.items():
        used = set(re.findall(r"%\((\w+)\)s", text))
        declared = header(text).get("Parameters", "")
        assert all(re.search(rf"\b{parameter}\b", declared) for parameter in used), (
            f"{name} takes {sorted(used)}, its header has {declared!r}"
        )
        assert bool(declared) == bool(used), name
