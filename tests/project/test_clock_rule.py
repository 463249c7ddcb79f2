"""One clock: only ``include/clock.py`` and the SQL function ``core.clock()`` read the machine's time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.project.files import ROOT, name_of, sources

CLOCK = ROOT / "include" / "clock.py"
PYTHON = [path for path in sources("include", "sandbox", "dags", "plugins", "docs", "benchmarks", "tests") if path != CLOCK]
SQL = sources("sql", suffix=".sql")

#: (owner, attribute) of every way to read the time in Python; ``time.monotonic`` and ``perf_counter`` measure durations.
FORBIDDEN = {
    *((owner, name) for owner in ("datetime", "DateTime", "pendulum", "timezone") for name in ("now", "today", "utcnow")),
    ("date", "today"),
    *(("time", name) for name in ("time", "time_ns", "localtime", "gmtime", "ctime", "strftime")),
}
SQL_CLOCKS = re.compile(
    r"\b(now|timeofday|(clock|statement|transaction)_timestamp)\s*\(\s*\)|\b(current_(timestamp|date|time)|localtime(stamp)?)\b|'now'",
    re.IGNORECASE,
)
SQL_STATEMENT = re.compile(r"^\s*(--|SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|CREATE|ALTER|CALL)\b", re.IGNORECASE)


def clocks_in_python(text: str) -> list[str]:
    """Return ``line: expression`` for every expression that reads the time, including SQL in strings."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in FORBIDDEN:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"{node.lineno}: from time import {alias.name}" for alias in node.names if ("time", alias.name) in FORBIDDEN]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose and SQL_STATEMENT.search(node.value):
            found += [f"{node.lineno}: {match.group()} in SQL" for match in SQL_CLOCKS.finditer(node.value)]
    return found


def clocks_in_sql(text: str) -> list[str]:
    """Return every clock a SQL file reads, outside comments, texts and the definition of ``core.clock()`` itself."""
    text = re.sub(r"CREATE (OR REPLACE )?FUNCTION core\.clock\(\).*?;", "", text, flags=re.DOTALL)
    text = re.sub(r"^\s*COMMENT ON .*?;\s*$", "", re.sub(r"--.*", "", text), flags=re.MULTILINE | re.DOTALL)
    return [match.group() for match in SQL_CLOCKS.finditer(text)]


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_python_reads_the_one_clock(path: Path) -> None:
    found = clocks_in_python(path.read_text())
    assert not found, f"{name_of(path)} asks the machine for the time at {found}. Use include.clock.now() and pass the instant on."


@pytest.mark.parametrize("path", SQL, ids=name_of)
def test_sql_gets_the_time_as_a_parameter(path: Path) -> None:
    found = clocks_in_sql(path.read_text())
    assert not found, f"{name_of(path)} uses {found}. Pass the instant as a parameter; views use core.clock()."


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.utcnow",
        "import datetime as d\nx = d.date.today()",
        "import time\nx = time.time()",
        "from time import time",
        "x = 'SELECT now()'",
    ],
)
def test_the_rule_finds_each_way_to_read_the_time(text: str) -> None:
    assert clocks_in_python(text)


def test_the_rule_ignores_the_clock_and_durations() -> None:
    assert not clocks_in_python("from include import clock\nimport time\nx = clock.now()\ny = time.monotonic()\nz = 'it is now() or never'")
    assert clocks_in_sql("-- now() in a comment\nUPDATE x SET at = current_timestamp;") == ["current_timestamp"]
    assert not clocks_in_sql("-- not now()\nCREATE FUNCTION core.clock() RETURNS timestamptz RETURN now();")


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None
