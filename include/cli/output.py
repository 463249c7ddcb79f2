"""What commands print: lines, tables and JSON on stdout, errors and progress on stderr.

Nothing else in ``include/cli`` prints, so foreign text cannot reach a terminal unrendered (:mod:`include.wording.foreign`).
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from include.wording.foreign import Medium, render

#: Receives what a command does now.
Progress = Callable[[str], None]

#: Headings of columns whose name alone says too little or too much; the keys of ``--json`` stay.
HEADINGS = {
    "age_hours": "age in h", "applied": "affected", "at": "sent", "checked_at": "checked", "closed_at": "closed", "conflict_id": "no.", "detected_at": "detected", "first_seen_at": "first seen", "gtin": "barcode", "complete_at": "last complete crawl", "discovered_at": "discovered",
    "file_id": "file", "folded": "duplicates", "is_complete": "complete", "is_passed": "passed", "is_supermarket": "supermarket", "is_trading": "trading",
    "most_in_flight": "most at once", "number": "no.", "observed_at": "observed", "open": "undecided", "quarantine_share": "quarantine", "quarantined": "quarantine", "stores_known": "of known", "stores_newest": "stores without newer", "oldest_at": "oldest", "rule_id": "rule",
    "shortest_gap_seconds": "shortest pause in s", "state_reason": "why", "store_days": "stores", "store_id": "store",
}  # fmt: skip
_STYLES = {"running": "green", "ok": "green", "warn": "yellow", "not healthy": "yellow", "dead": "red", "fail": "red", "stopped": "dim"}
_BAR_CHARACTERS = 24
#: Width of the output where there is no terminal: nothing is folded.
_UNLIMITED = 10_000
#: Characters of a cell that stay on one line; longer ones may be folded.
_LEGIBLE = 18


def say(*lines: object) -> None:
    """Print lines of text; each argument is one line."""
    for line in lines:
        print(printable(line))


def say_error(message: object) -> None:
    """Print an error message on stderr; it may have several lines."""
    for line in str(message).split("\n"):
        print(printable(line), file=sys.stderr, flush=True)


def printable(value: object) -> str:
    """Return one line of text without characters that drive a terminal."""
    return render(str(value), Medium.TERMINAL)


def print_json(value: object) -> None:
    """Print one JSON value in ASCII; dates and instants in ISO 8601."""
    print(json.dumps(value, indent=2, default=str))


def print_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    wide: Sequence[str] = (),
    is_wide: bool = False,
    title: str | None = None,
) -> None:
    """Print rows as a table; numbers right-aligned, null as an empty cell, instants in local time.

    Args:
        rows: column → value.
        columns: the columns that fit a terminal of 80 characters.
        wide: further columns, shown with ``--wide``.
        is_wide: whether ``--wide`` was given.
        title: a line above the table.
    """
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    console = Console() if sys.stdout.isatty() else Console(width=_UNLIMITED)
    if title is not None:
        console.print(Text(printable(title), style="italic"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown = [*columns, *wide] if is_wide else list(columns)
    for column in shown:
        is_number = any(isinstance(row.get(column), int | float) and not isinstance(row.get(column), bool) for row in rows)
        is_fixed = is_number or any(isinstance(row.get(column), datetime) for row in rows)
        table.add_column(
            Text(printable(HEADINGS.get(column, column.replace("_", " ")))), justify="right" if is_number else "left", overflow="fold",
            no_wrap=is_fixed,
        )  # fmt: skip
    for row in rows:
        table.add_row(
            *[
                Text(text := _identifier(row.get(column)) if column.endswith("_id") else cell(row.get(column)), style=_STYLES.get(text, ""))
                for column in shown
            ]
        )
    if Measurement.get(console, console.options, table).maximum >= console.width:
        table.padding = (0, 1, 0, 0)
    console.print(table)


def print_sections(heading: str, sections: Mapping[str, Any]) -> None:
    """Print what is known of one thing: a line that names it, then a table for each section that has rows; a single row as names and values.

    So are the rows of a table with more columns than the terminal can show legibly.

    Args:
        sections: name → one row or a list of rows; columns that are empty in all rows are left out.
    """
    say(heading)
    for title, content in sections.items():
        if isinstance(content, Mapping):
            _print_row(content, title)
        elif content:
            columns = [key for key in content[0] if any(row.get(key) not in (None, {}, []) for row in content)]
            if _is_legible(content, columns):
                print_table(content, columns, title=title)
            else:
                for number, row in enumerate(content, start=1):
                    _print_row(row, f"{title}, {number} of {len(content)}")


def _print_row(row: Mapping[str, Any], title: str) -> None:
    rows = [
        {"what": HEADINGS.get(key, key.replace("_", " ")), "value": _identifier(value) if key.endswith("_id") else cell(value)}
        for key, value in row.items()
        if value not in (None, {}, [], "")
    ]
    print_table(rows, ("what", "value"), title=title)


def _is_legible(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bool:
    """Whether a terminal shows these columns without folding short cells."""
    if not sys.stdout.isatty():
        return True
    widths = (
        max(min(_LEGIBLE, len(text)) for text in (HEADINGS.get(column, column.replace("_", " ")), *(cell(row.get(column)) for row in rows)))
        for column in columns
    )
    return sum(width + 1 for width in widths) <= shutil.get_terminal_size().columns


def cell(value: Any) -> str:
    """Return a table's cell: printable text, never markup.

    >>> cell(None), cell(True), cell(12345), cell([7, "c"]), cell("[/b]boom\\x1b[31m")
    ('', 'yes', '12,345', '7, c', '[/b]boom\\\\x1b[31m')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return local_time(value)
    if isinstance(value, list | tuple):
        return printable(", ".join(map(str, value)))
    return f"{value:,}" if isinstance(value, int) else printable(value)


def _identifier(value: Any) -> str:
    return "" if value is None else printable(value)


def local_time(instant: datetime) -> str:
    """Return an instant in this machine's time zone, to the second, with the zone's name."""
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S %Z}"


class ProgressDisplay(Protocol):
    """Progress of a long command: call it with what happens now; ``bar`` shows counted work."""

    def __call__(self, message: str) -> None: ...

    def bar(self, name: str, done: int, total: int, text: str) -> None: ...


@contextmanager
def progress() -> Iterator[ProgressDisplay]:
    """Yield a display of progress on stderr: a status line and bars on a terminal, otherwise one line per change."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    display = _Live()
    with Live(get_renderable=display.render, console=Console(stderr=True), refresh_per_second=8, transient=True):
        yield display


class _Lines:
    """Progress where there is no terminal: a line whenever something changed."""

    def __init__(self) -> None:
        self._started_at: dict[str, float] = {}
        self._last: dict[str, object] = {}

    def __call__(self, message: str) -> None:
        self._print("", message, message)

    def bar(self, name: str, done: int, total: int, text: str) -> None:
        now = time.monotonic()
        left = time_left(done, total, now - self._started_at.setdefault(name, now))
        self._print(name, (done, total, text), f"{name}: {text}{f', {left}' if left else ''}")

    def _print(self, name: str, state: object, line: str) -> None:
        if self._last.get(name) != state:
            print(printable(line), file=sys.stderr, flush=True)
        self._last[name] = state


class _Live:
    """Progress on a terminal."""

    def __init__(self) -> None:
        self._message = ""
        self._bars: dict[str, tuple[int, int, str, float]] = {}

    def __call__(self, message: str) -> None:
        self._message = printable(message)

    def bar(self, name: str, done: int, total: int, text: str) -> None:
        started_at = self._bars[name][3] if name in self._bars else time.monotonic()
        self._bars[printable(name)] = (done, total, printable(text), started_at)

    def render(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        for name, (done, total, text, started_at) in self._bars.items():
            bar = ProgressBar(total=max(total, 1), completed=done, width=_BAR_CHARACTERS)
            table.add_row(Text(name), bar, Text(text), Text(time_left(done, total, time.monotonic() - started_at) or ""))
        return Group(table, Text(self._message, overflow="ellipsis", no_wrap=True)) if self._bars else Text(self._message)


def time_left(done: int, total: int, elapsed_seconds: float) -> str | None:
    """Return the time left of counted work in words, ``None`` before the first part is done and after the last.

    >>> time_left(1, 4, 20), time_left(30, 40, 600), time_left(0, 4, 20), time_left(4, 4, 20)
    ('about 60 s left', 'about 3 min left', None, None)
    """
    if not 0 < done < total:
        return None
    seconds = elapsed_seconds / done * (total - done)
    return f"about {seconds:.0f} s left" if seconds < 120 else f"about {seconds / 60:.0f} min left"


class LogFormatter(logging.Formatter):
    """Formats log lines for a terminal: foreign text in a message drives nothing, a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as printable lines."""
        return "\n".join(printable(line.replace("\t", "    ")) for line in super().format(record).split("\n"))
