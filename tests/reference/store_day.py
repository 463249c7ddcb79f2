"""A store-day as the model sees it: a short text of goods, and what the row rules of the design page (§5, checks) make of its lines.

Each character of ``goods`` is one SKU, the first "1", the second "2" and so on:

=====  =======================================================
``a``  a price; ``b`` and ``c`` are other prices
``s``  the price ``a``, on special
``A``  the price ``a`` under another spelling of the name
``0``  unavailable: listed without a price
``!``  refused: a price below zero
``=``  two equal lines of the price ``a``, folded into one
``t``  the price ``a``, and a line of the same SKU whose price is no number: refused
``x``  two lines that contradict each other: both refused
``~``  a cut line: nobody can read its SKU
``<``  a stray line: observed a day before its crawl, refused
``-``  not listed
=====  =======================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

KINDS = "abcsA0!=tx~<-"
CENTS = {"a": 100, "b": 110, "c": 125, "s": 100, "A": 100, "=": 100, "t": 100, "0": None}
WAS_CENTS = 140
NAMES = ("Ant Soap", "Bee Wax", "Cow Bell", "Dog Lead", "Elk Horn", "Fox Glove", "Gnu Rug", "Hen Coop")


@dataclass(frozen=True)
class OfferedLine:
    """One accepted line."""

    sku: str
    name: str
    cents: int | None
    was_cents: int | None
    at: datetime


@dataclass(frozen=True)
class StoreDay:
    """One staged file. ``is_complete`` is what its manifest says, ``None`` without one; ``pace`` is the time from line to line."""

    retailer: str
    store_id: str
    run: str
    goods: str
    starts_at: datetime
    pace: timedelta = timedelta()
    is_complete: bool | None = True

    @property
    def store(self) -> tuple[str, str]:
        """Retailer and store id."""
        return self.retailer, self.store_id

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of line of each SKU."""
        return {str(number): kind for number, kind in enumerate(self.goods, start=1)}

    def line_at(self, sku: str) -> datetime:
        """When the line of a SKU was observed."""
        stray = timedelta(days=1) if self.kinds[sku] == "<" else timedelta()
        return self.starts_at + self.pace * (int(sku) - 1) - stray

    @property
    def instants(self) -> list[datetime]:
        """When its lines were observed: those that say so and belong to the crawl."""
        return sorted(self.line_at(sku) for sku, kind in self.kinds.items() if kind not in "-~<")

    @property
    def at(self) -> datetime:
        """Its instant: that of its earliest line."""
        return min(self.instants, default=self.starts_at)

    @property
    def last_at(self) -> datetime:
        """When its latest line was observed."""
        return max(self.instants, default=self.starts_at)

    @cached_property
    def accepted(self) -> dict[str, OfferedLine]:
        """The accepted lines by SKU."""
        return {
            sku: OfferedLine(sku, name_of(sku, kind), CENTS[kind], WAS_CENTS if kind == "s" else None, self.line_at(sku))
            for sku, kind in self.kinds.items()
            if kind in CENTS
        }

    @property
    def accepted_goods(self) -> int:
        """Distinct accepted SKUs."""
        return len(self.accepted)

    @property
    def readable_goods(self) -> int:
        """Lines that can be read, without what repeats another one: its goods as far as one can tell before the rules are applied."""
        return sum({"!": 1, "<": 1, "x": 2}.get(kind, kind in CENTS) for kind in self.goods)

    @property
    def refused(self) -> set[str]:
        """SKUs with refused lines only."""
        return {sku for sku, kind in self.kinds.items() if kind in "!x<"}

    @property
    def has_cut_line(self) -> bool:
        """Whether it has a line whose SKU cannot be read."""
        return "~" in self.goods

    @property
    def folded_lines(self) -> int:
        """Lines that repeat another one."""
        return self.goods.count("=")

    @property
    def refused_lines(self) -> int:
        """Lines in quarantine."""
        return sum({"!": 1, "~": 1, "<": 1, "t": 1, "x": 2}.get(kind, 0) for kind in self.goods)

    @property
    def lines(self) -> int:
        """All lines of the file."""
        return len(self.accepted) + self.folded_lines + self.refused_lines


def name_of(sku: str, kind: str) -> str:
    """Return the name in a line; another spelling is the same good."""
    name = NAMES[int(sku) - 1]
    return name.upper() if kind == "A" else name
