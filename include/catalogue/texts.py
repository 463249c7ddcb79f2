"""What this version of the text rules reads from a deciding text: all that the product of a SKU depends on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from include.wording.brand import fold_brand, own_label_of
from include.wording.priced_size import sizes_with_pieces
from include.wording.product_key import loose_key, product_keys
from include.wording.same_good import Text, identifying_words
from include.wording.size import telling_sizes, total


@dataclass(frozen=True, slots=True)
class Reading:
    """The readings of one text. ``hash`` is of all that any rule reads from it: texts with equal ones are grouped alike."""

    product_keys: tuple[str, ...]
    loose_key: str | None
    folded_brand: str
    size_quantity: Decimal | None
    size_unit: str | None
    own_label_of: str | None
    hash: str


@lru_cache(maxsize=32_768)
def read_text(text: Text, piece_count: int | None = None) -> Reading:
    """Read a name, brand and size; where they state no size, the pieces that the price fixes are one. They never veto: a shop's price may be wrong."""
    name, brand, size = text
    keys, loose, folded, owner = (
        product_keys(name, brand, size, sizes_with_pieces(size, name, piece_count)),
        loose_key(name, brand, size) or None,
        fold_brand(brand),
        own_label_of(brand),
    )
    quantity, unit = total(size, name) or (None, None)
    found = keys, loose, folded, str(quantity), unit, owner, telling_sizes(size, name), sorted(identifying_words(text))
    return Reading(keys, loose, folded, quantity, unit, owner, hashlib.md5(repr(found).encode(), usedforsecurity=False).hexdigest())
