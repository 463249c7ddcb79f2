"""What a person is told of proposed products: both sides of each pair with the evidence, and the effect of each choice."""

from __future__ import annotations

from include.alerts.choice_question import Choices, Row

#: What each choice does.
EFFECTS = {
    "approve": "the two are one product, in spite of different barcodes or sizes",
    "reject": "they are two products: nothing joins them, and they are not proposed again",
}


def sku_line(row: Row, prefix: str = "") -> str:
    """Return one side of a proposal (with ``other_``: the other one) in one line: retailer, number, brand (unless the name begins with it), name and size."""
    retailer, sku, brand, name, size = (str(row[f"{prefix}{part}"] or "") for part in ("retailer", "sku", "brand", "name", "size"))
    if name.casefold().startswith(brand.casefold()):
        brand = ""
    return " ".join(part for part in (retailer, sku, brand, name, size) if part)


def _barcodes(row: Row) -> str:
    return f"{row['gtins'] or 'none'} / {row['other_gtins'] or 'none'}"


def _score(row: Row) -> str:
    return "" if row["score"] is None else f"{row['score']:.2f}"


def _why(row: Row) -> str:
    return "; ".join(str(part) for part in (row["reason"], row["evidence"].get("reason")) if part)


def _line(row: Row) -> str:
    score = f", score {_score(row)}" if _score(row) else ""
    return f"{sku_line(row)} and {sku_line(row, 'other_')} ({_why(row)}{score})"


PROPOSALS = Choices(
    item="proposal",
    dag_id="decide_proposals",
    command="aisleflow catalogue proposals",
    effects=EFFECTS,
    columns={"one": sku_line, "other": lambda row: sku_line(row, "other_"), "barcodes": _barcodes, "score": _score, "why proposed": _why},
    counted=lambda rows: f"{len(rows)} pair{'s' if len(rows) > 1 else ''} of products that may be one",
    line=_line,
    what="There are products that may be one.",
    meanwhile="Until you decide, they stay two; `aisleflow catalogue undo` ends a decision, and every row is as before.",
)
