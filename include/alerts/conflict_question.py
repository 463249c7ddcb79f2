"""What a person is told of contested barcodes: each conflict with both sides, and the effect of each choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from include.alerts.choice_question import Choices, Row

#: Why a claim is not accepted (``core.sku_barcode.refused_because``), for a person.
REASONS: Mapping[str | None, str] = {
    "own_label": "one side is the own label of another retailer",
    "size": "the sizes of both sides differ",
    "other_barcode": "the SKU already has another barcode",
    "two_products": "the SKU shows the barcodes of two products: a proposal asks whether they are one",
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
}


def claimant(row: Row, prefix: str = "") -> str:
    """Return the SKU that claims the barcode (with ``other_``: that has it) in one line: retailer, number, name and size."""
    parts = [row[f"{prefix}{part}"] for part in ("retailer", "sku", "name", "size")]
    return " ".join(str(part) for part in parts if part)


def other_side(row: Row) -> str:
    """Return what contradicts the claim in one line."""
    other = f"{claimant(row, 'other_')} has it" if row["other_sku"] else ""
    own = f"the SKU has {row['accepted_gtins']}" if row["reason"] == "other_barcode" and row["accepted_gtins"] else ""
    if row["reason"] == "product_barcode" and row["product_gtins"]:
        own = f"its product has {row['product_gtins']}"
    return "; ".join(part for part in (other, own) if part) or "no product has it"


def _why(row: Row) -> str:
    before = f"; {row['choice']} before, but {REOPENED[row['reopened_because']]}" if row["reopened_because"] else ""
    return REASONS[row["reason"]] + before


def _counted(rows: Sequence[Row]) -> str:
    retailers = ", ".join(sorted({row["retailer"] for row in rows}))
    return f"{len(rows)} contested barcode{'s' if len(rows) > 1 else ''} of {retailers}"


CONFLICTS = Choices(
    item="conflict",
    dag_id="decide_conflicts",
    command="aisleflow barcodes conflicts",
    effects=EFFECTS,
    columns={"barcode": itemgetter("gtin"), "claimed by": claimant, "other side": other_side, "why not accepted": _why},
    counted=_counted,
    line=lambda row: f"{row['gtin']}, claimed by {claimant(row)}; {other_side(row)} ({_why(row)})",
    what="Retailers claim barcodes that the catalogue does not accept.",
    meanwhile="Until you decide, a contested barcode identifies nothing and is filled in nowhere.",
)
