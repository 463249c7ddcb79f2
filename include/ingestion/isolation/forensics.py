"""Finds the lines that cause a database error by repeating the failed step on halves of the lines, as dry runs.

A dry run uses savepoints that are always rolled back. A set of lines that the database rejects is halved, down to single
rejected lines with PostgreSQL's error. Lines that are only rejected together (two with the same unique value) are found by the
shortest rejected prefix. The search is bounded in time; the result states whether it stopped early.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.ledger.rejections import Rejection
from include.warehouse.database_errors import DatabaseErrorInfo, constraint_of
from include.warehouse.engine import Connection

#: Dry run of a step on some lines; returns the database's error, ``None`` if it accepts them.
Attempt = Callable[[Sequence[int]], DatabaseErrorInfo | None]

REJECTED_LINES_SHOWN = 20
_VALUE_CHARACTERS = 120

#: Columns of the warehouse and the columns of ``staging.offer`` their values come from.
_SOURCE_COLUMNS = {
    "price_cents": ("price",), "was_price_cents": ("was_price",), "gtin": ("gtins",), "product_key": ("name", "brand", "size"), "folded": ("brand",),
    "sku_key": ("sku",), "product_id": ("sku",), "store_key": ("store_id",), "raw_text": ("name",),
}  # fmt: skip
_STAGED = (
    "sku", "name", "brand", "size", "url", "image_url", "category", "price", "was_price", "unit_price", "unit_of_measure", "price_basis", "multi_buy_quantity", "multi_buy_price",
    "is_on_special", "gtins", "observed_at", "retailer", "store_id",
)  # fmt: skip
_NUMBERS = ("price", "was_price", "unit_price")


class SearchStopped(Exception):
    """The search ran out of time, or the database failed during it."""


@dataclass(slots=True)
class SearchResult:
    """Result of a search: rejected line (or file) → the database's error."""

    rejected_lines: dict[int, DatabaseErrorInfo] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)
    is_finished: bool = True
    seconds: float = 0.0


def search(numbers: Sequence[int], attempt: Attempt, seconds_max: float) -> SearchResult:
    """Find every number whose dry run fails, by halving.

    Args:
        numbers: line numbers (or file ids), in order.
        attempt: dry run of the step on a subset; may raise :class:`SearchStopped`.
        seconds_max: time limit, after which ``is_finished`` is false.

    >>> bad = DatabaseErrorInfo("23514", "no")
    >>> sorted(search(range(1, 100), lambda part: bad if {7, 70} & set(part) else None, 5).rejected_lines)
    [7, 70]
    >>> sorted(search(range(1, 9), lambda part: bad if {2, 5} <= set(part) else None, 5).rejected_lines)
    [5]
    """
    found, started = SearchResult(), time.monotonic()

    def attempt_part(part: Sequence[int]) -> DatabaseErrorInfo | None:
        if time.monotonic() - started > seconds_max:
            raise SearchStopped
        error = attempt(part)
        if error is None:
            found.accepted.update(part)
        return error

    def bisect(part: Sequence[int]) -> None:
        remaining = list(part)
        while remaining and (error := attempt_part(remaining)):
            if len(remaining) == 1:
                found.rejected_lines[remaining[0]] = error
                return
            before, middle = len(found.rejected_lines), len(remaining) // 2
            bisect(remaining[:middle])
            bisect(remaining[middle:])
            if len(found.rejected_lines) == before:  # each half is accepted: only the combination is rejected
                last_index, error = _shortest_failing_prefix(remaining, attempt_part, error)
                found.rejected_lines[remaining[last_index]] = error
            remaining = [number for number in remaining if number not in found.rejected_lines]

    try:
        bisect(list(numbers))
    except SearchStopped:
        found.is_finished = False
    found.seconds = time.monotonic() - started
    return found


def _shortest_failing_prefix(remaining: Sequence[int], attempt_part: Attempt, error: DatabaseErrorInfo) -> tuple[int, DatabaseErrorInfo]:
    """Return the index of the last number of the shortest rejected prefix, and its error."""
    low, high = 0, len(remaining) - 1
    while low < high:
        middle = (low + high) // 2
        if describe_error := attempt_part(remaining[: middle + 1]):
            high, error = middle, describe_error
        else:
            low = middle + 1
    return low, error


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """One rejected line with the values concerned and the reason."""

    line_number: int
    sku: str | None
    values: tuple[tuple[str, str], ...]
    describe_error: str

    def text(self) -> str:
        """Return one line of the report."""
        described = ", ".join(f"{column} = {value}" for column, value in self.values)
        return f"line {self.line_number}, SKU {self.sku or 'none'}: {described + ': ' if described else ''}{self.describe_error}"


def describe(connection: Connection, found: SearchResult, rows: dict[int, dict[str, Any]]) -> list[RejectedLine]:
    """Return the rejected lines with their values and reasons.

    Args:
        connection: used to look up constraints.
        found: the search's result, keyed by line number.
        rows: line number → its row of ``staging.offer``.
    """
    known: dict[tuple[str | None, ...], tuple[str | None, tuple[str, ...]]] = {}
    rejected_lines = []
    for number, facts in sorted(found.rejected_lines.items()):
        key = (facts.schema, facts.table, facts.constraint, facts.column)
        if key not in known:
            known[key] = constraint_of(connection, facts)
        definition, columns = known[key]
        row = rows.get(number, {})
        sku = row.get("sku")
        rejected_lines.append(
            RejectedLine(number, None if sku is None else _printable(sku), _values(facts, columns, row), describe_error(facts, definition))
        )
    return rejected_lines


def _values(facts: DatabaseErrorInfo, columns: Iterable[str], row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if facts.copied_column:
        return ((facts.copied_column[0], _printable(facts.copied_column[1])),)
    staged = list(dict.fromkeys(source for column in columns for source in _SOURCE_COLUMNS.get(column, (column,)) if source in _STAGED))
    if not staged and (facts.code or "").startswith("22"):  # PostgreSQL names no column: assume the largest number is out of range
        numbers = {name: abs(row[name]) for name in _NUMBERS if row.get(name) is not None}
        staged = [max(numbers, key=lambda name: numbers[name])] if numbers and facts.code == "22003" else []
    if not staged and facts.code is None:  # psycopg could not encode a text
        staged = [name for name in _STAGED if isinstance(row.get(name), str) and not _is_storable(row[name])]
    if not staged:
        staged = [name for name in ("name", "price") if name in row]
    return tuple((name, _printable(row[name]) if row.get(name) is not None else "null") for name in staged if name in row)


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _printable(value: Any) -> str:
    text = str(value)
    printable = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text[:_VALUE_CHARACTERS]
    )
    return f"{printable}… ({len(text):,} characters)" if len(text) > _VALUE_CHARACTERS else printable


def describe_error(facts: DatabaseErrorInfo, definition: str | None) -> str:
    """Return the reason of a rejection: constraint with its definition, trigger, or PostgreSQL's message.

    >>> describe_error(DatabaseErrorInfo("23514", "new row …", schema="core", table="price", constraint="cheap"), "CHECK (price_cents < 200)")
    'breaks the constraint cheap of core.price, CHECK (price_cents < 200)'
    """
    table = f"{facts.schema}.{facts.table}" if facts.schema and facts.table else facts.table
    if facts.constraint and (facts.code or "").startswith("23"):
        detail = f" ({_printable(facts.detail)})" if facts.detail and facts.code in ("23503", "23505", "23P01") else ""
        return f"breaks the constraint {facts.constraint} of {table}" + (f", {definition}" if definition else "") + detail
    if facts.code == "23502":
        return f"{table}.{facts.column} may not be null"
    if facts.code == "54000" or facts.constraint:
        return f"does not fit the index {facts.constraint or ''} of {table or 'the warehouse'}: {facts.message}" + (
            f" ({definition})" if definition else ""
        )
    if facts.function:
        return f"the trigger function {facts.function} refuses it: {facts.message}"
    return f"{facts.message}" + (f" ({_printable(facts.detail)})" if facts.detail else "")


def next_step(errors: Iterable[DatabaseErrorInfo]) -> str:
    """Return the steps to fix such errors, by kind, in the order to try them."""
    codes = {facts.code or "" for facts in errors}
    functions = sorted({facts.function for facts in errors if facts.function})
    steps = []
    if any(code.startswith("23") for code in codes):
        steps.append("Was the constraint added or changed manually? Then remove or loosen it (aisleflow warehouse psql).")
    if functions:
        steps.append(
            f"Is the trigger function {', '.join(functions)} intended? It is not part of this project: fix it or drop its trigger (aisleflow warehouse psql)."
        )
    if any(code.startswith(("22", "54")) or not code for code in codes):
        steps.append(
            "The value does not fit the warehouse: have a rule refuse such lines (CONTRIBUTING.md, Add a rule), then the rest of the file is published."
        )
    steps.append("Are the lines wrong? Crawl the store again (clear its crawl task with downstream): the new file replaces this one.")
    return " ".join(steps)


def report(
    step: str, first: DatabaseErrorInfo, found: SearchResult, rejected_lines: Sequence[RejectedLine], errors: Sequence[DatabaseErrorInfo]
) -> Rejection:
    """Return the ledger's record of a rejected store-day: headline, first 20 rejected lines, next step."""
    stopped_note = (
        ""
        if found.is_finished
        else f"; the search was stopped after {found.seconds:.0f} seconds (AISLEFLOW_ERROR_SEARCH_SECONDS), there may be more"
    )
    if rejected_lines:
        headline = f"the database rejects {len(rejected_lines)} line(s) of it in step {step}{stopped_note}"
    else:
        headline = f"the database rejects it in step {step}, and no single line causes it{stopped_note}: {describe_error(first, None)}"
    lines = tuple(rejected_line.text() for rejected_line in rejected_lines[:REJECTED_LINES_SHOWN])
    return Rejection(headline, lines, len(rejected_lines) - len(lines), next_step(errors))
