"""The unit words of size texts. Changing this table changes product keys: raise ``product_key.RULE_VERSION`` with it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum


class Dimension(StrEnum):
    """The dimension of a size; the value is the unit of its canonical text."""

    MASS = "g"
    VOLUME = "ml"
    LENGTH = "m"
    COUNT = "ea"


def _words(dimension: Dimension, factor: str, words: str) -> dict[str, tuple[Dimension, Decimal]]:
    return {word: (dimension, Decimal(factor)) for word in words.split()}


# word -> (dimension, base units of one): g, mL, m
MEASURES: dict[str, tuple[Dimension, Decimal]] = (
    _words(Dimension.MASS, "0.001", "mg")
    | _words(Dimension.MASS, "1", "g gm gms gr gram grams grm")
    | _words(Dimension.MASS, "1000", "kg kgs kilo kilos kilogram kilograms")
    | _words(Dimension.VOLUME, "1", "ml mls millilitre millilitres")
    | _words(Dimension.VOLUME, "10", "cl")
    | _words(Dimension.VOLUME, "1000", "l lt ltr ltrs litre litres liter liters")
    | _words(Dimension.LENGTH, "0.001", "mm")
    | _words(Dimension.LENGTH, "0.01", "cm")
    | _words(Dimension.LENGTH, "1", "m mtr mtrs metre metres meter meters")
)

# word -> number of pieces
_ONE_PIECE = """
    ea each eachunit unit units item items pack packs pk pks pkt pkts packet packets piece pieces pce pces pc pcs pair pairs set sets
    kit kits carton cartons case cases box boxes bunch bunches bag bags teabag teabags bottle bottles can cans tin tins jar jars
    sheet sheets ss s tablet tablets tab tabs capsule capsules cap caps caplet caplets softgel softgels lozenge lozenges wipe wipes
    roll rolls serve serves sachet sachets stick sticks pod pods bar bars punnet punnets tray trays tub tubs tube tubes nappy nappies
    liner liners pad pads tampon tampons wash washes load loads dose doses slice slices page pages pg size head heads bulb bulbs
    count ct pouch pouches block blocks egg eggs bulk slab slabs loaf loaves"""
COUNTS: dict[str, int] = dict.fromkeys(_ONE_PIECE.split(), 1) | {"dozen": 12, "doz": 12, "dz": 12}

# words for a pack: "1 pack" and "2 pack" differ, "1 pack" and "20 tablets" need not
PACKS = frozenset(["pack", "packs", "pk", "pks", "pkt", "pkts", "packet", "packets"])

# words that mark the printed quantity as a mean or a lower bound
APPROXIMATE = frozenset({"approx", "approximately", "avg", "average", "about", "min", "minimum", "eachunit"})


def base_units(word: str) -> tuple[Dimension, Decimal] | None:
    """Dimension of a unit word and its size in g, mL, m or pieces; None for an unknown word.

    >>> base_units("kg"), base_units("dozen"), base_units("furlong")
    ((<Dimension.MASS: 'g'>, Decimal('1000')), (<Dimension.COUNT: 'ea'>, Decimal('12')), None)
    """
    if word in COUNTS:
        return Dimension.COUNT, Decimal(COUNTS[word])
    return MEASURES.get(word)
