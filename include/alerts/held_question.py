"""The decision request about held store-days in the Airflow UI: reasons, sample lines, publication status, and the effect of each choice.

The subject names store and night; the body lists rule and extent first, in the order needed for a decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from include.alerts.alerts import SAMPLES
from include.warehouse.engine import Warehouse
from include.wording.foreign import Medium, render

RELEASE, DISCARD, LEAVE = "Release", "Discard", "Leave held"
_LISTED = 15


@dataclass(frozen=True, slots=True)
class Question:
    """The text of an approval: subject (one line) and body (Markdown)."""

    subject: str
    body: str


def held_question(warehouse: Warehouse, file_ids: Sequence[int]) -> Question:
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
        _samples(samples),
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


def _samples(samples: Sequence[dict[str, Any]]) -> str:
    """Return the sample lines as a table; where a line was refused, the rules stand instead of the factor."""
    if not samples:
        return ""
    rows = [
        [
            f"{line['file']['file_id']}, line {line['line_number']}", line["sku"] or "none", line["name"] or "none", line["size"] or "",
            _dollars(line["price"]), _dollars(line["known_cents"], per=100),
            f"refused: {', '.join(line['reasons'])}" if line["reasons"] else _factor(line["price"], line["known_cents"]),
        ]
        for line in samples
    ]  # fmt: skip
    title = "### Three sample lines" if len(rows) == SAMPLES else "### Sample lines"
    heading = "| file | SKU | name | size | now | so far | change |\n|---|---|---|---|---:|---:|---|"
    return "\n".join([title, heading, *("| " + " | ".join(_plain(cell) for cell in row) + " |" for row in rows)])


def _dollars(amount: Any, per: int = 1) -> str:
    return "" if amount is None else f"{Decimal(amount) / per:,.2f}"


def _factor(price: Decimal | None, known_cents: int | None) -> str:
    """Return how a price moved, in the figures that a person compares: a share for small changes, a factor for large ones.

    >>> _factor(Decimal("105"), 100), _factor(Decimal("1.10"), 100), _factor(Decimal("0.02"), 200), _factor(Decimal("1"), 100)
    ('× 105', '+10%', '÷ 100', 'unchanged')
    """
    if price is None or not known_cents or price <= 0:
        return ""
    factor = price * 100 / known_cents
    if factor == 1:
        return "unchanged"
    if Decimal("0.5") < factor < 2:
        return f"{float(factor) - 1:+.0%}" if abs(factor - 1) >= Decimal("0.01") else f"{float(factor) - 1:+.1%}"
    times = float(factor if factor >= 2 else 1 / factor)
    return f"{'×' if factor >= 2 else '÷'} {round(times, 1 if times < 10 else 0):,g}"


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
