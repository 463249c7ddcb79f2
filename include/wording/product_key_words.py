"""The word lists behind the product key. They are fixed: a changed list is a new ``product_key.RULE_VERSION``.

Words are written as :func:`include.wording.product_key.spelling` returns them: folded, one spelling, singular.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# short forms, spelling variants and numbers in words
SPELLINGS = {
    "canned": "can", "caps": "capsule", "choc": "chocolate", "concentrated": "concentrate", "crisps": "chip",
    "flavor": "flavour", "flavored": "flavour", "flavoured": "flavour", "multipack": "pack", "pkt": "pack", "sharepack": "pack",
    "tabs": "tablet", "yogurt": "yoghurt", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
}  # fmt: skip

# words that never distinguish two products
NOISE = _words("and approx each flavour n pack s size the")
# what a measured quantity is sold in: dropped once a weight or a volume is known
CONTAINERS = _words("aerosol bottle can carton jar packet pouch sachet tin tub tube")
# words that mostly distinguish nothing, but in "vitamin A", "ham on the bone", "cake mix" or "large breed": only the loose key drops them
UNSURE = _words(
    """a an any at bag bar block box by case cereal for from frozen gift in large medium mix of on or our per plus serve serving
    share small tablet to value with x your"""
)

# several spellings of one product: the words on the left are replaced by those on the right (none: dropped)
PHRASES = {
    "anti dandruff": "antidandruff",
    "anti perspirant": "antiperspirant",
    "body spray": "bodyspray",
    "body wash": "bodywash",
    "breakfast cereal": "",
    "chocolate bar": "",
    "chocolate block": "",
    "cup cake": "cupcake",
    "dishwashing tablet": "dishwasher tablet",
    "facial wipe": "face wipe",
    "good night": "goodnight",
    "ice cream": "icecream",
    "kit kat": "kitkat",
    "mud cake": "mudcake",
    "multi vitamin": "multivitamin",
    "potato chip": "chip",
    "pro v": "prov",
    "roll on": "rollon",
    "roll up": "rollup",
    "soup can": "soup",
    "sport drink": "",
    "tooth brush": "toothbrush",
    "tooth paste": "toothpaste",
    "vita gummy": "vitagummy",
}

# solid chocolate is identified by its kind: "dark chocolate almond" and "almond dark" are one block
CHOCOLATE_KINDS = frozenset({"dark", "milk", "white"})

# words that are a product after and a flavour before another of them ("milk chocolate", "chocolate milk"): the key has their order
ORDERED = _words("bread butter cake cheese chocolate coconut coffee cream honey ice milk nut oil powder rice tea water yoghurt")
