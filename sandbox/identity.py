"""Compares published products and barcodes with the true identity of each SKU.

Two SKUs are one good if the world gives them one identity. A published barcode that is another good's is a fault, as a wrong price is. Wrong joins (one
product with SKUs of several goods) and missing joins (one good on several products) are counted and listed, and no faults: text alone does not always decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.findings import Finding

Sku = tuple[str, str]


@dataclass(slots=True)
class IdentityComparison:
    """The result of a verification of products and barcodes.

    Attributes:
        skus: published SKUs whose true identity is known.
        with_barcode: those of them whose product has a barcode.
        wrong_barcode: SKUs published with a barcode that is not their good's: faults.
        wrong_joins: goods too many on a product.
        missing_joins: products too many of a good.
    """

    skus: int = 0
    with_barcode: int = 0
    wrong_barcode: Finding = field(default_factory=Finding)
    wrong_joins: Finding = field(default_factory=Finding)
    missing_joins: Finding = field(default_factory=Finding)

    def lines(self) -> Iterator[str]:
        """Yield the result as text."""
        yield (
            f"{self.skus} SKUs: {self.with_barcode} with a barcode, {self.wrong_barcode.count} with one of another good; "
            f"not counted as errors: {self.wrong_joins.count} wrong joins, {self.missing_joins.count} missing joins"
        )
        for name, finding in (
            ("wrong barcode", self.wrong_barcode),
            ("wrong join", self.wrong_joins),
            ("missing join", self.missing_joins),
        ):
            for sample in finding.samples:
                yield f"  {name}: {sample}"


@dataclass(slots=True)
class _Seen:
    identity: str
    text: str
    product_id: int
    barcode: str | None


class IdentityJudge:
    """Collects every published SKU with its truth, store by store; one small row per SKU is in memory."""

    def __init__(self) -> None:
        self._seen: dict[Sku, _Seen] = {}
        self._barcodes: dict[str, set[str]] = {}

    def know(self, identity: str | None, true_barcode: str | None) -> None:
        """Take in a barcode of a good; call it for every offer of the truth, published or not."""
        if identity is not None and true_barcode is not None and (gtin := usable(true_barcode)) is not None:
            self._barcodes.setdefault(identity, set()).add(gtin)

    def publish(self, sku: Sku, identity: str | None, text: str, product_id: int | None, barcode: str | None) -> None:
        """Take in what is published of a SKU."""
        if identity is not None and product_id is not None and sku not in self._seen:
            self._seen[sku] = _Seen(identity, text, product_id, barcode)

    def compare(self, samples: int) -> IdentityComparison:
        """Return the comparison of everything taken in, with the first ``samples`` of each kind."""
        found = IdentityComparison(skus=len(self._seen))
        products: dict[int, dict[str, str]] = {}
        goods: dict[str, dict[int, str]] = {}
        for sku, seen in sorted(self._seen.items()):
            named = f"{sku[0]} SKU {sku[1]} {seen.text!r}"
            products.setdefault(seen.product_id, {}).setdefault(seen.identity, named)
            goods.setdefault(seen.identity, {}).setdefault(seen.product_id, named)
            if seen.barcode is not None:
                found.with_barcode += 1
                true = self._barcodes.get(seen.identity, set())
                if seen.barcode.zfill(14) not in true:
                    found.wrong_barcode.add(f"{named}: {seen.barcode}, the truth is {', '.join(sorted(true)) or 'none'}", samples)
        for several, finding in ((products, found.wrong_joins), (goods, found.missing_joins)):
            for named_by in several.values():
                for other in list(named_by.values())[1:]:
                    finding.add(f"{next(iter(named_by.values()))} and {other}", samples)
        return found


def usable(barcode: str) -> str | None:
    """Return a barcode as GTIN-14, ``None`` for a code of the store.

    >>> usable("9300000000014"), usable("2964005000008"), usable("60001")
    ('09300000000014', None, None)
    """
    if "," in barcode or not barcode.isdigit() or len(barcode) < 8 or barcode.zfill(13).startswith(("02", "2")):
        return None
    return barcode.zfill(14)
