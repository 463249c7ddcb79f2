"""What commands print: foreign text drives no terminal, is no markup and is never lost; tables fit; progress says how much is left."""

from __future__ import annotations

import ast
import io
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
import typer
from typer.testing import CliRunner

from include.alerts.alerts import Alert
from include.cli import alerts, common, crawl, importing, night, output, prices, quality, quarantine, sandbox_faults, store_days, stores
from include.cli.main import app
from include.cli.output import LogFormatter, print_table, progress, say, say_error
from include.errors import TerminalError
from include.wording.foreign import Medium, render
from tests.project.files import ROOT

#: Store ids, names and SKUs as a hostile site writes them: escapes (C0 and C1), Rich's and Markdown's markup, directions, formulas.
HOSTILE = [
    "[/b]boom", "[red]R1", "\x1b[2J\x1b]0;title\x07", "\x9b31m", "a\rb", "two\nlines", "\u202egnp.exe", "=cmd|' /C calc'!A0", "<img src=x>", "\udcff",
]  # fmt: skip


def shows(text: str, printed: str) -> None:
    """Check that a printed text has the foreign one, rendered, and nothing that drives a terminal."""
    assert all(character.isprintable() or character == "\n" for character in printed), printed
    assert render(text, Medium.TERMINAL) in printed
    printed.encode()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "show",
    [
        lambda text: print_table([{"store_id": text, "rows": 1}], ("store_id", "rows")),
        lambda text: print_table([{"store_id": "1"}], ("store_id",), title=text),
        lambda text: print_table([{text: 1}], (text,)),
        say,
    ],
    ids=["cell", "title", "heading", "say"],
)
def test_foreign_text_on_stdout_is_visible_and_drives_nothing(
    text: str, show: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    show(text)
    shows(text, capsys.readouterr().out)


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\n" not in text])
def test_foreign_text_on_stderr_is_visible_and_drives_nothing(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with common.reported():
            raise TerminalError(f"store {text}: no")

    def tell() -> None:
        with progress() as show:
            show(text)

    def count() -> None:
        with progress() as show:
            show.bar(text, 1, 2, text)

    for act in (lambda: say_error(text), tell, count, fail):
        with suppress(typer.Exit):
            act()
        shows(text, capsys.readouterr().err)


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_on_a_terminal_is_no_markup(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with progress() as show:
        show.bar(text, 1, 2, text)
        show(text)
    assert render(text, Medium.TERMINAL).encode(errors="replace").decode() in terminal.getvalue()


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\n" not in text])
def test_foreign_text_in_a_log_line_drives_nothing(text: str) -> None:
    record = logging.LogRecord("crawl", logging.WARNING, "x.py", 1, "store %s answers", (text,), None)
    shows(text, LogFormatter("%(levelname)s %(message)s").format(record))


@pytest.mark.parametrize("text", HOSTILE)
def test_an_alert_drives_nothing(text: str) -> None:
    alert = Alert("held", "warning", f"held: {text}", f"why\n{text}", "key")
    assert alert.title.isprintable() and all(line.isprintable() for line in alert.body.split("\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_no_markup_of_foreign_text(text: str) -> None:
    shown = render(text, Medium.MARKDOWN)
    plain = shown.replace("\\\\", "")
    assert shown.isprintable()
    assert all(plain[place - 1] == "\\" for place, character in enumerate(plain) if character in "<>[]*_`|")


def test_only_one_module_prints() -> None:
    """Whatever a command shows goes through ``output.py``, so no cell, line or message is printed unrendered."""
    found = []
    for path in sorted((ROOT / "include" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in _PRINTING or called.endswith((".stdout.write", ".stderr.write", "console.print")):
                    found.append(f"{path.name}:{node.lineno} {called}")
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rich":
                found.append(f"{path.name}:{node.lineno} {node.module}")
    assert found and all(place.startswith("output.py:") for place in found), found


_PRINTING = {"print", "typer.echo", "typer.secho", "click.echo", "click.secho"}

#: Values as they occur, the long ones of the recorded nights; free texts (why, detail, name) fold and are left short.
LONG = {
    "retailer": "woolworths", "store_id": "COL:4010", "night": date(2026, 11, 18), "state": "published", "name": "Wattle Flat", "reason": "never",
    "state_reason": "", "decision": "crawl", "rule_id": "size_not_in_text", "detail": "", "postcode": "3151", "broken": "", "title": "held",
    "severity": "critical", "is_complete": True, "complete": True, "purpose": "promotions", "finding": "", "level": "warn", "check": "quarantine",
    "remedy": "", "component": "dag-processor", "pid": "123456", "product": "Full Cream Milk 2L", "price": "$3.10 to $3.40", "unit": "$1.55 / L",
    "special": "was $4.20", "age": "19 h", "basis": "each", "quarantine_share": "0.1 %", "current_share": "99 %",
}  # fmt: skip
TABLES = {
    "import, files": importing.FILE_COLUMNS, "import, retailers": importing.RETAILER_COLUMNS, "night, crawl": night.CRAWL_COLUMNS,
    "night, ingestion": night.INGEST_COLUMNS, "store list": stores.STORE_COLUMNS, "store plan": stores.PLAN_COLUMNS,
    "store files": store_days.FILE_COLUMNS, "crawl": crawl.COLUMNS, "checks": quality.CHECK_COLUMNS, "results": quality.RESULT_COLUMNS,
    "held": quarantine.HELD_COLUMNS, "lines": quarantine.LINE_COLUMNS, "requests": sandbox_faults.REQUEST_COLUMNS, "alerts": alerts.COLUMNS,
    "prices": prices.PRICE_COLUMNS, "coverage": prices.COVERAGE_COLUMNS,
}  # fmt: skip


@pytest.mark.parametrize("columns", TABLES.values(), ids=TABLES)
def test_a_table_fits_eighty_characters(columns: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    row = {
        column: LONG.get(column, datetime(2026, 11, 18, 9, tzinfo=UTC) if column == "at" or column.endswith("_at") else 12_345)
        for column in columns
    }
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    print_table([row], columns)
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 2, "no cell is folded"
    assert max(map(len, lines)) <= 80


def test_further_columns_are_shown_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    for is_wide in (False, True):
        print_table([{"rows": 1, "folded": 2}], ("rows",), wide=("folded",), is_wide=is_wide)
        assert ("duplicates" in capsys.readouterr().out) == is_wide


@pytest.mark.parametrize(("zone", "shown"), [("Australia/Perth", "2026-11-18 17:00:00 AWST"), ("UTC", "2026-11-18 09:00:00 UTC")])
def test_times_are_local_to_the_second_with_their_zone(zone: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert output.cell(datetime(2026, 11, 18, 9, 0, 0, 123, tzinfo=UTC)) == shown
    finally:
        monkeypatch.undo()
        time.tzset()


# progress


def test_without_a_terminal_progress_is_a_line_per_change(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as show:
        for done in (0, 0, 2, 4):
            show.bar("coles", done, 4, f"{done} of 4 stores")
            show("crawling")
    assert [line.partition(", about")[0] for line in capsys.readouterr().err.splitlines()] == [
        "coles: 0 of 4 stores", "crawling", "coles: 2 of 4 stores", "coles: 4 of 4 stores",
    ]  # fmt: skip


# dates


@pytest.mark.parametrize("given", ["18.11.2026", "2026-13-01", "tomorrow"])
def test_a_date_is_asked_for_in_words(given: str) -> None:
    refused = CliRunner().invoke(app, ["store", "plan", "coles", "--night", given])
    text = " ".join(refused.output.replace("│", " ").split())
    assert refused.exit_code == 2
    assert "is no date: write year-month-day, e.g. 2026-11-18" in text and "%Y" not in text
