"""Every statement of ``sql/`` is executed, twice, in real flows, and does what its header says. A new file without a scenario fails."""

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
def played() -> dict[str, RepeatChecker]:
    """What the scenarios executed; filled by the first test."""
    return {}


@pytest.mark.parametrize("scenario", [path.stem for path in scenarios()])
def test_a_scenario_runs_every_statement_twice(
    scenario: str,
    make_warehouse: Callable[..., Warehouse],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    played: dict[str, RepeatChecker],
) -> None:
    play = importlib.import_module(f"tests.sql.{scenario}").play
    doubled, plain = make_warehouse(), make_warehouse()
    with twice(monkeypatch) as seen:
        play(doubled, Storage(f"file://{tmp_path / 'doubled'}"))
    played[scenario] = seen
    assert seen.broken == []
    play(plain, Storage(f"file://{tmp_path / 'plain'}"))
    assert contents(doubled) == contents(plain), "a night in which everything ran twice ends like any other"


def test_every_file_is_executed(played: dict[str, RepeatChecker]) -> None:
    if len(played) < len(scenarios()):
        pytest.skip("needs the scenarios above in the same run")
    executed = {name for seen in played.values() for name in seen.executed}
    assert sorted(set(FILES) - executed) == [], "add a scenario_<subject>.py whose play() executes these"


def test_statements_write_only_what_their_headers_say(played: dict[str, RepeatChecker]) -> None:
    if len(played) < len(scenarios()):
        pytest.skip("needs the scenarios above in the same run")
    for name in FILES:
        written = {table for seen in played.values() for table in seen.written.get(name, ())}
        said = header(FILES[name]).get("Writes", "")
        missing = sorted(table for table in written if not re.search(rf"\b{table}\b", said))
        assert missing == [], f"{name} writes {missing}, its header does not say so"


@pytest.mark.parametrize("name", FILES)
def test_headers(name: str) -> None:
    text, said = FILES[name], header(FILES[name])
    assert re.match(r"-- [A-Z].*[.:]\n", text), "the first line says what it does"
    assert {"Called by", "Run again"} <= set(said) and {"Reads", "Writes"} & set(said), f"header lines are missing: {sorted(said)}"
    assert promise(text) in PROMISES, f"`Run again` begins with one of {sorted(PROMISES)}"
    callers = re.findall(r"\b(?:include|dags|plugins)/\S+?\.py\b", said["Called by"])
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
        said = header(text).get("Parameters", "")
        assert all(re.search(rf"\b{parameter}\b", said) for parameter in used), f"{name} takes {sorted(used)}, its header says {said!r}"
        assert bool(said) == bool(used), name
