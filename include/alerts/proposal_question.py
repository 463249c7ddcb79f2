"""The decision request about proposed products in the Airflow UI: both sides of each pair with the evidence, and the effect of each choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from include.alerts.held_question import Question
from include.wording.foreign import Medium, render

#: What each choice does.
EFFECTS = {
    "approve": "the two are one product, in spite of different barcodes or sizes",
    "reject": "they are two products: nothing joins them, and they are not proposed again",
    "leave": "decide later; `aisleflow catalogue proposals` lists it",
}


def proposal_question(rows: Sequence[Mapping[str, Any]]) -> Question:
    """Return the question about some proposals (rows of :func:`include.catalogue.proposals.list_proposals`)."""
    head = "| no. | one | other | barcodes | score | why proposed |\n|---:|---|---|---|---:|---|"
    table = [
        "| "
        + " | ".join(map(_plain, (row["proposal_id"], _side(row), _side(row, "other_"), _barcodes(row), _score(row), _why(row))))
        + " |"
        for row in rows
    ]
    choices = [f"- **{choice}**: {effect}." for choice, effect in EFFECTS.items()]
    note = (
        f"Choose for each proposal, give the reason in `why`, and select **Record**. Evidence: `aisleflow catalogue proposals show {rows[0]['proposal_id']}`. "
        "`aisleflow catalogue undo` ends a decision, and every row is as before."
    )
    return Question(
        f"Decide whether {len(rows)} pair(s) of products are one", "\n\n".join(["\n".join([head, *table]), "\n".join(choices), note])
    )


def _side(row: Mapping[str, Any], prefix: str = "") -> str:
    return " ".join(str(row[f"{prefix}{part}"]) for part in ("retailer", "sku", "brand", "name", "size") if row[f"{prefix}{part}"])


def _barcodes(row: Mapping[str, Any]) -> str:
    return f"{row['gtins'] or 'none'} / {row['other_gtins'] or 'none'}"


def _score(row: Mapping[str, Any]) -> str:
    return "" if row["score"] is None else f"{row['score']:.2f}"


def _why(row: Mapping[str, Any]) -> str:
    return "; ".join(str(part) for part in (row["reason"], row["evidence"].get("reason")) if part)


def _plain(text: object) -> str:
    return render(str(text), Medium.MARKDOWN)
