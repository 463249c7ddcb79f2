"""A retailer's SKU as a person writes it."""

from __future__ import annotations

from dataclasses import dataclass

from include.errors import TerminalError


@dataclass(frozen=True, slots=True)
class SkuName:
    """A SKU of a retailer, written ``retailer:sku``."""

    retailer: str
    sku: str

    @classmethod
    def read(cls, text: str) -> SkuName:
        """Read ``retailer:sku``.

        Raises:
            TerminalError: it has another form.
        """
        retailer, colon, sku = text.partition(":")
        if not (retailer and colon and sku):
            raise TerminalError(f"{text!r} is no SKU: write retailer:sku, e.g. coles:3091126.")
        return cls(retailer, sku)

    def __str__(self) -> str:
        return f"{self.retailer}:{self.sku}"
