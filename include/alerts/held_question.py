"""The decision request about held store-days in the Airflow UI: reasons, sample lines, publication status, and the effect of each choice.

The subject names store and night; the body lists rule and extent first, in the order needed for a decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from include.alerts.alerts import SAMPLES, excerpt
from include.staging.manifest import Manifest
from include.staging.staged_file import UnreadableFile, open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from include.wording.foreign import Medium, render

RELEASE, DISCARD, LEAVE = "Release", "Discard", "Leave held"
_LISTED = 15


@dataclass(frozen=True, slots=True)
class Question:
    """The text of an approval: subject (one line) and body (Markdown)."""

    subject: str
    body: str


def held_question(warehouse: Warehouse, storage: Storage, file_ids: Sequence[int]) -> Question:
    """Return the question about held store-days with one common decision."""
    ids = sorted(set(file_ids))
    with warehouse.transaction() as connection:
        files = [dict(row) for row in connection.run("diagnostics/list_held", {"file_ids": ids}).fetchall()]
        other_counts = connection.run("diagnostics/count_other_store_days", {"file_ids": ids}).fetchall()
        samples = [
            {**line, "file": file}
            for file in files[:SAMPLES]
            for line in connection.run(
                "diagnostics/sample_held_lines", {"file_id": file["file_id"], "lines": max(1, SAMPLES // len(files))}
            ).fetchall()
        ][:SAMPLES]
    parts = [
        _why(files),
        _samples(storage, samples, warehouse.settings.line_bytes_max),
        _publication_status(other_counts),
        _choices(files, warehouse),
    ]
    return Question(_subject(files), "\n\n".join(part for part in parts if part))


def _subject(files: Sequence[dict[str, Any]]) -> str:
    rules = ", ".join(sorted({rule["rule_id"] for file in files for rule in file["rules"]})) or "held"
    nights = ", ".join(sorted({str(file["night"]) for file in files}))
    if len(files) == 1:
        file = files[0]
        return f"Publish {file['retailer']} {_store(file)} of {nights}? Held by {rules} ({file['rows']:,} lines)"
    return f"Publish {len(files)} store-days of {files[0]['retailer']} of {nights}? Held together by {rules}"


def _store(file: dict[str, Any]) -> str:
    name = file["manifest"].get("store_name")
    return _line(f"{file['store_id']} ({name})" if name else file["store_id"])


def _why(files: Sequence[dict[str, Any]]) -> str:
    rows = sum(file["rows"] for file in files)
    what = "This store-day waits" if len(files) == 1 else f"These {len(files)} store-days wait"
    lines = [
        f"**{what} for your decision.** Nothing of {'its' if len(files) == 1 else 'their'} {rows:,} lines is published yet.",
        "",
        "### Why",
    ]
    reasons: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        reasons.setdefault(file["state_reason"] or "no reason is recorded", []).append(file)
    for reason, held in list(reasons.items())[:_LISTED]:
        lines.append(f"- {_plain(reason)}")
        if len(files) > 1:
            named = ", ".join(f"{file['store_id']} (file {file['file_id']}, {file['rows']:,} lines)" for file in held[:_LISTED])
            lines.append(f"  - stores: {_plain(named)}" + (f" and {len(held) - _LISTED} more" if len(held) > _LISTED else ""))
    if len(reasons) > _LISTED:
        lines.append(f"- … and {len(reasons) - _LISTED} more: `aisleflow quarantine list`")
    return "\n".join(lines)


def _samples(storage: Storage, samples: Sequence[dict[str, Any]], line_bytes_max: int) -> str:
    if not samples:
        return ""
    lines_of_text = ["### Three sample lines" if len(samples) == SAMPLES else "### Sample lines"]
    for line in samples:
        about = f"file {line['file']['file_id']}, line {line['line_number']}, SKU {line['sku'] or 'none'}"
        if line["reasons"]:
            about += f": refused ({', '.join(line['reasons'])})"
        elif line["price"] is not None and line["known_cents"] is not None:
            about += f": now ${line['price']:.2f}, known ${line['known_cents'] / 100:.2f}"
        lines_of_text += [f"- {_plain(about)}", "", f"      {_line(_raw(storage, line, line_bytes_max) or line['name'] or 'no name')}", ""]
    return "\n".join(lines_of_text).rstrip()


def _raw(storage: Storage, line: dict[str, Any], line_bytes_max: int) -> str | None:
    try:
        manifest = msgspec.convert(line["file"]["manifest"], Manifest)
        for read in open_staged(storage, manifest, Stage.OUTBOX, line_bytes_max):
            if read.number == line["line_number"]:
                return excerpt(read.raw)
    except (UnreadableFile, msgspec.ValidationError, OSError) as error:
        return f"(the file cannot be read now: {error})"
    return None


def _publication_status(other_counts: Sequence[dict[str, Any]]) -> str:
    lines_of_text = [
        f"- {row['retailer']} of {row['night']}: {row['published']} store-days published ({row['rows_published']:,} lines), "
        f"{row['held']} held, {row['in_progress']} in progress"
        for row in other_counts
    ]
    return "\n".join(
        [
            "### Publication status of the night",
            *lines_of_text,
            "",
            "Until you decide, readers see the last known prices of the held stores.",
        ]
    )


def _choices(files: Sequence[dict[str, Any]], warehouse: Warehouse) -> str:
    one = len(files) == 1
    file_id = files[0]["file_id"]
    hours = warehouse.settings.decision_hours
    return "\n".join(
        [
            "### Choices",
            f"- **{RELEASE}**: the data are correct. {'It is' if one else 'All are'} published now; lines that break a line rule still go to quarantine.",
            f"- **{DISCARD}**: the data are wrong. {'It is' if one else 'They are'} never published; the file stays in the stage `refused`. The next crawl brings new data.",
            f"- **{LEAVE}**: not now. The data are kept and not published; there is no further request, `aisleflow quarantine list` shows them.",
            "",
            f"Give the reason in `why`; it is stored with your name. Without a decision within {hours:g} hours the data stay held. "
            f"Details: `aisleflow quarantine show {file_id}`.",
        ]
    )


def _line(text: object) -> str:
    """Render text of a title or a code block, where Markdown has no markup."""
    return render(str(text), Medium.TERMINAL)


def _plain(text: object) -> str:
    return render(str(text), Medium.MARKDOWN)
