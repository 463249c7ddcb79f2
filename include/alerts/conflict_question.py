"""The decision request about contested barcodes in the Airflow UI: each conflict with both sides, and the effect of each choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include import clock
from include.alerts.alerts import Alert
from include.alerts.held_question import Question
from include.wording.foreign import Medium, render

_LISTED = 10
#: Why a claim is not accepted (``core.sku_barcode.refused_because``), for a person.
REASONS: Mapping[str | None, str] = {
    "own_label": "one side is the own label of another retailer",
    "size": "the sizes of both sides differ",
    "other_barcode": "the SKU already has another barcode",
    "product_barcode": "the product that its text had joined already has another barcode",
    "many_goods": "the retailer gives it to many different goods",
    "rejected": "rejected by decision",
    "split": "the SKU, or the one that has the barcode, was split off by decision",
    "apart": "the SKU and one that has the barcode are different products by decision",
    None: "it is accepted by decision",
}
#: What opened a decided conflict again.
REOPENED = {"claim": "another claim came or went", "merge": "a SKU joined or left one of the two products"}
#: What each choice does.
EFFECTS = {
    "accept": "the barcode is this SKU's. Who else claims it joins the SKU's product; where size or own label forbid that, the barcode moves",
    "reject": "the barcode is wrong for this SKU; it is not asked about again while nothing changes",
    "split": "two goods share one product: the SKU becomes a product of its own, with the barcode if no other product has it",
    "leave": "decide later; `aisleflow barcodes conflicts` lists it",
}


def conflict_question(rows: Sequence[Mapping[str, Any]]) -> Question:
    """Return the question about some conflicts (rows of :func:`include.catalogue.conflicts.list_conflicts`)."""
    head = "| no. | barcode | claimed by | other side | why not accepted |\n|---:|---|---|---|---|"
    table = [
        "| " + " | ".join(map(_plain, (row["conflict_id"], row["gtin"], claimant(row), other_side(row), _why(row)))) + " |" for row in rows
    ]
    choices = [f"- **{choice}**: {effect}." for choice, effect in EFFECTS.items()]
    note = (
        f"Choose for each conflict, give the reason in `why`, and select **Record**. Evidence: `aisleflow barcodes conflicts show {rows[0]['conflict_id']}`. "
        "Until you decide, a contested barcode identifies nothing and is filled in nowhere."
    )
    retailers = ", ".join(sorted({row["retailer"] for row in rows}))
    return Question(
        f"Decide about {len(rows)} contested barcode(s) of {retailers}", "\n\n".join(["\n".join([head, *table]), "\n".join(choices), note])
    )


def conflict_alert(rows: Sequence[Mapping[str, Any]], answer_by_at: datetime, key: str, link: str | None) -> Alert:
    """Return the alert about the questions of one run; rows as of :func:`conflict_question`."""
    until, numbers = clock.in_melbourne(answer_by_at), " ".join(str(row["conflict_id"]) for row in rows[:3])
    listed = [
        f"  {row['conflict_id']}: {row['gtin']}, claimed by {claimant(row)}; {other_side(row)} ({_why(row)})" for row in rows[:_LISTED]
    ]
    if len(rows) > _LISTED:
        listed.append(f"  … and {len(rows) - _LISTED} more: aisleflow barcodes conflicts")
    retailers = ", ".join(sorted({row["retailer"] for row in rows}))
    body = (
        "Retailers claim barcodes that the catalogue does not accept. They identify nothing meanwhile; prices and look-ups go on.\n"
        + "\n".join(listed)
        + f"\n\nAnswer by {until}: open the link, or\n"
        + "\n".join(
            f"- aisleflow barcodes conflicts {choice} {numbers} --why '…': {EFFECTS[choice]}" for choice in ("accept", "reject", "split")
        )
        + "\nWithout an answer they stay open: aisleflow barcodes conflicts lists them, and a manual run of decide_conflicts asks again."
    )
    title = f"warning: {len(rows)} contested barcode{'s' if len(rows) > 1 else ''} of {retailers}: decide by {until}"
    return Alert(
        "question",
        "warning",
        title,
        body,
        key,
        conflict_ids=tuple(row["conflict_id"] for row in rows),
        link=link,
        answer_by_at=answer_by_at,
    )


def claimant(row: Mapping[str, Any], prefix: str = "") -> str:
    """Return the SKU that claims the barcode (with ``other_``: that has it) in one line: retailer, number, name and size."""
    parts = [row[f"{prefix}{part}"] for part in ("retailer", "sku", "name", "size")]
    return " ".join(str(part) for part in parts if part)


def other_side(row: Mapping[str, Any]) -> str:
    """Return what contradicts the claim in one line."""
    other = f"{claimant(row, 'other_')} has it" if row["other_sku"] else ""
    own = f"the SKU has {row['accepted_gtins']}" if row["reason"] == "other_barcode" and row["accepted_gtins"] else ""
    if row["reason"] == "product_barcode" and row["product_gtins"]:
        own = f"its product has {row['product_gtins']}"
    return "; ".join(part for part in (other, own) if part) or "no product has it"


def _why(row: Mapping[str, Any]) -> str:
    before = f"; {row['choice']} before, but {REOPENED[row['reopened_because']]}" if row["reopened_because"] else ""
    return REASONS[row["reason"]] + before


def _plain(text: object) -> str:
    return render(str(text), Medium.MARKDOWN)
