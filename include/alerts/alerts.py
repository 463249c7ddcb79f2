"""Builds the texts of alerts about held data and failed tasks; ``include/orchestration/alerting.py`` sends them.

The title has the event and its severity; the body has the rule, the extent, three sample lines, the publication
status of the other store-days, and the next steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from include import clock
from include.staging.manifest import Manifest
from include.staging.staged_file import UnreadableFile, open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from include.wording.foreign import Medium, render

Severity = Literal["critical", "warning", "info"]

SAMPLES = 3
EXCERPT_CHARACTERS = 300
_STORE_DAYS_LISTED = 20
#: Columns whose values a retailer or a file wrote.
_FOREIGN = frozenset({"store_id", "sku", "name"})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, in plain text: characters that drive a terminal are rendered visibly. ``key`` is its cause: one alert each.

    ``severity`` is ``critical`` if a retailer's whole night is affected or work stops until an operator acts, ``info`` for the end of a
    trouble, else ``warning``. ``source`` is the failed task, ``dag_id.task_id``: its success for the same ``retailer`` ends the trouble.
    ``answer_by_at``: when a question lapses. ``item``, ``item_ids``: the barcode conflicts or proposals it asks about; none of them open is its end.
    """

    kind: Literal["failed", "held", "question", "services", "test"]
    severity: Severity
    title: str
    body: str
    key: str
    file_ids: tuple[int, ...] = ()
    item: Literal["conflict", "proposal"] | None = None
    item_ids: tuple[int, ...] = ()
    link: str | None = None
    retailer: str | None = None
    source: str | None = None
    answer_by_at: datetime | None = None

    def __post_init__(self) -> None:
        """Render what retailers and sites wrote into title and body."""
        object.__setattr__(self, "title", render(self.title, Medium.TERMINAL))
        object.__setattr__(self, "body", "\n".join(render(line, Medium.TERMINAL) for line in self.body.split("\n")))

    def text(self) -> str:
        """Return the body followed by the link to the task."""
        return f"{self.body}\n\nIn the UI: {self.link}" if self.link else self.body


def held_alert(warehouse: Warehouse, file_ids: Sequence[int], storage: Storage | None = None) -> Alert:
    """Return one alert about any number of held store-days.

    Args:
        file_ids: ledger ids of held store-days (of one retailer and night, or of several).
        storage: the storage root of the staged files; by default that of the settings.

    Returns:
        The alert. Its body is plain text.

    Raises:
        ValueError: none of the files is in the ledger.
    """
    ids = sorted(set(file_ids))
    with warehouse.transaction() as connection:
        files = [_rendered(row) for row in connection.run("diagnostics/list_held", {"file_ids": ids}).fetchall()]
        other_counts = [dict(row) for row in connection.run("diagnostics/count_other_store_days", {"file_ids": ids}).fetchall()]
        if not files:
            raise ValueError(f"none of the files {ids} is in the ledger")
        samples = {
            file["file_id"]: [
                _rendered(row)
                for row in connection.run("diagnostics/sample_held_lines", {"file_id": file["file_id"], "lines": SAMPLES}).fetchall()
            ]
            for file in files[:SAMPLES]
        }
    where = storage or Storage(warehouse.settings.storage)
    chosen = _choose(files, samples)
    excerpts = {number: _excerpts(where, files[number], lines, warehouse.settings.line_bytes_max) for number, lines in chosen.items()}
    is_whole_retailer = any(rule["scope"] == "retailer" for file in files for rule in file["rules"]) or any(
        row["held"] and not row["published"] and not row["in_progress"] for row in other_counts
    )
    severity: Severity = "critical" if is_whole_retailer else "warning"
    answer_by_at = clock.now() + timedelta(hours=warehouse.settings.decision_hours)
    body = "\n\n".join(
        [
            _store_days(files),
            _lines(files, chosen, excerpts),
            _publication_status(other_counts),
            _instructions(files, answer_by_at),
        ]
    )
    retailers = {file["retailer"] for file in files}
    return Alert(
        "held", severity, _title(files, severity), body, _key(files), tuple(file["file_id"] for file in files),
        retailer=retailers.pop() if len(retailers) == 1 else None, answer_by_at=answer_by_at,
    )  # fmt: skip


def _rendered(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose foreign values are one line each."""
    return {name: render(value, Medium.TERMINAL) if name in _FOREIGN and isinstance(value, str) else value for name, value in row.items()}


def _key(files: Sequence[dict[str, Any]]) -> str:
    parts = "|".join(str(number) for number in sorted(int(file["file_id"]) for file in files))
    return "held|" + hashlib.sha256(parts.encode()).hexdigest()[:24]


def _title(files: Sequence[dict[str, Any]], severity: Severity) -> str:
    rules = sorted({rule["rule_id"] for file in files for rule in file["rules"]})
    named = f" ({', '.join(rules)})" if rules else ""
    where = ", ".join(sorted({f"{file['retailer']} of {file['night']}" for file in files}))
    if len(files) == 1:
        return f"{severity}: store-day held, {files[0]['retailer']} {files[0]['store_id']} of {files[0]['night']}{named}"
    return f"{severity}: {len(files)} store-days held, {where}{named}"


def _store_days(files: Sequence[dict[str, Any]]) -> str:
    listed = [
        f"file {file['file_id']}: {file['retailer']} {file['store_id']} of {file['night']}, {file['rows']:,} lines, {file['state']}.\n"
        f"  Why: {file['state_reason'] or 'no reason is recorded'}"
        for file in files[:_STORE_DAYS_LISTED]
    ]
    if len(files) > _STORE_DAYS_LISTED:
        listed.append(f"… and {len(files) - _STORE_DAYS_LISTED} more: aisleflow quarantine list")
    rows = sum(file["rows"] for file in files)
    return f"Nothing of {_plural(len(files), 'store-day')} ({rows:,} lines) is published until an operator decides:\n" + "\n".join(listed)


def _choose(files: Sequence[dict[str, Any]], samples: dict[int, list[dict[str, Any]]]) -> dict[int, list[dict[str, Any]]]:
    """Return position in ``files`` → lines: three in total, from as many store-days as possible."""
    chosen: dict[int, list[dict[str, Any]]] = {}
    for round_number in range(SAMPLES):
        for number, file in enumerate(files[:SAMPLES]):
            lines = samples.get(file["file_id"], [])
            if round_number < len(lines) and sum(map(len, chosen.values())) < SAMPLES:
                chosen.setdefault(number, []).append(lines[round_number])
    return chosen


def _excerpts(storage: Storage, file: dict[str, Any], lines: Sequence[dict[str, Any]], line_bytes_max: int) -> dict[int, str]:
    wanted = {int(line["line_number"]) for line in lines}
    found: dict[int, str] = {}
    try:
        for line in open_staged(storage, msgspec.convert(file["manifest"], Manifest), Stage.OUTBOX, line_bytes_max):
            if line.number in wanted:
                found[line.number] = excerpt(line.raw)
                if len(found) == len(wanted):
                    break
    except (UnreadableFile, msgspec.ValidationError, OSError):
        return found  # the alert omits the lines; the error is reported by the task that reads the file
    return found


def excerpt(raw: bytes) -> str:
    """Return the beginning of a line as one line of printable text.

    >>> excerpt(b'{"a": 1}')
    '{"a": 1}'
    """
    text = raw[: EXCERPT_CHARACTERS * 4].decode("utf-8", "replace")
    return render(text[:EXCERPT_CHARACTERS], Medium.TERMINAL) + ("…" if len(text) > EXCERPT_CHARACTERS else "")


def _lines(files: Sequence[dict[str, Any]], chosen: dict[int, list[dict[str, Any]]], excerpts: dict[int, dict[int, str]]) -> str:
    parts = []
    for number, lines in chosen.items():
        for line in lines:
            about = f"file {files[number]['file_id']}, line {line['line_number']}, SKU {line['sku'] or 'none'}"
            if line["reasons"]:
                about += f", refused: {', '.join(line['reasons'])}"
            elif line["price"] is not None and line["known_cents"] is not None:
                about += f", {line['price']} dollars, known {line['known_cents'] / 100:.2f}"
            raw = excerpts[number].get(line["line_number"])
            parts.append(f"{about}\n  {raw}" if raw else f"{about}, {line['name'] or 'no name'}")
    if not parts:
        return "No sample line is available; aisleflow quarantine show ID reads the file."
    return f"{_plural(len(parts), 'line')} of the data, unchanged:\n" + "\n".join(parts)


def _publication_status(other_counts: Sequence[dict[str, Any]]) -> str:
    parts = [
        f"{row['retailer']} of {row['night']}: {_plural(row['published'], 'store-day')} published ({row['rows_published']:,} lines), "
        f"{row['held']} held, {row['in_progress']} in progress."
        for row in other_counts
    ]
    return "Publication status of the night:\n" + "\n".join(parts) + "\nReaders see the last known prices of the held stores."


def _instructions(files: Sequence[dict[str, Any]], answer_by_at: datetime) -> str:
    number = files[0]["file_id"]
    more = "" if len(files) == 1 else " (each file, or the batch in the UI)"
    return (
        f"What to do{more}:\n"
        f"1. Inspect: aisleflow quarantine show {number}\n"
        f"2. Data correct? aisleflow quarantine release {number} --why '…' publishes it.\n"
        f"3. Data wrong? aisleflow quarantine discard {number} --why '…'; the store's next crawl replaces it.\n"
        "Or decide in the UI (Browse, Required Actions, the waiting task of decide_held). "
        f"The question lapses at {clock.in_melbourne(answer_by_at)}: no data is lost, they stay held and the stores' prices become outdated."
    )


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
