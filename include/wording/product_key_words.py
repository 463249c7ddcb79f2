"""The word lists behind the product key. They are fixed: a changed list is a new ``product_key.RULE_VERSION``.

Words are written as :func:`include.wording.product_key.spelling` returns them: folded, one spelling, singular.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# short forms, spelling variants and numbers in words
SPELLINGS = {
    "aluminum": "aluminium", "cacao": "cocoa", "canned": "can", "caps": "capsule", "chile": "chilli", "chili": "chilli", "choc": "chocolate",
    "color": "colour",
    "concentrated": "concentrate", "decaffeinated": "decaf", "crisps": "chip", "donut": "doughnut", "donuts": "doughnut", "fiber": "fibre",
    "flavor": "flavour", "flavored": "flavour", "flavoured": "flavour", "gray": "grey", "houmous": "hommus", "hummus": "hommus",
    "multipack": "pack", "pkt": "pack", "sharepack": "pack", "tabs": "tablet", "yogurt": "yoghurt",
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
}  # fmt: skip

# words that never distinguish two products
NOISE = _words("and approx each flavour for n pack s sachet size the with")
# what a measured quantity is sold in: dropped once a weight or a volume is known
CONTAINERS = _words("aerosol bottle can carton jar packet pouch tin tub tube")
# words that mostly distinguish nothing, but in "vitamin A", "ham on the bone", "cake mix" or "large breed": only the loose key drops them
UNSURE = _words(
    """a an any at bag bar block box by case cereal from frozen gift in large medium mix of on or our per plus serve serving
    share small tablet to value x your"""
)

# What a good is in general. One retailer writes it, another leaves it out: dropped while another word identifies the good. No word that tells two goods of
# one brand and size apart (shampoo, conditioner; soap, lotion) may be here.
KINDS = _words(
    """battery biscuit cereal chip cleaner cracker crispbread deodorant detergent dip dishwashing drink fabric fragrance laundry lolly manual muesli nappy noodle
    panty pasta porridge sanitary snack soup spread toilet toothpaste"""
)
# what a name praises or says of the trade, not of the good: dropped while another word identifies the good
CLAIMS = _words(
    """advanced alway assorted authentic bonus delicious deluxe edition everyday exclusive famous favourite fine finest gourmet improved limited luxe
    luxurious luxury new nourishing premium quality real selected signature special stacked superior supreme tasty traditional ultimate"""
)
# what another word of the name says already: "basmati" is rice, a shampoo is for hair; dropped beside one of these
IMPLIED = {
    word: _words(by)
    for word, by in {
        "bread": "baguette brioche ciabatta crumpet focaccia sourdough",
        "cheese": "bocconcini brie camembert cheddar edam feta fetta gouda gruyere halloumi haloumi havarti mascarpone mozzarella parmesan parmigiano pecorino ricotta",
        "cocoa": "dark",
        "coffee": "cappuccino espresso latte macchiato mocha mochaccino nescafe",
        "hair": "conditioner hairspray shampoo",
        "infusion": "tea",
        "pasta": "bucatini cannelloni farfalle fettuccine fusilli lasagne linguine macaroni pappardelle penne ravioli rigatoni risoni spaghetti spiral tagliatelle tortellini",
        "rice": "arborio basmati jasmine",
    }.items()
}
# before "chip" these say what it is made of, and it stays: chocolate chips are no potato chips
CHIPS_OF = _words("baking banana beer chocolate coconut corn dark hot milk mint pita rice tortilla white wood")
# forms in which doses are counted: one retailer writes them in the name, another in the size
DOSE_FORMS = _words("caplet capsule chewable gummy lozenge softgel tablet")
# words for the extent of a pack before one for a pack: "party bag", "value pack"
PACK_EXTENTS = _words("bulk family gift jumbo large lunch medium mega party roll share sharing small snack treat value")
PACK_KINDS = _words("bag block box pack pouch")

# several spellings of one product: the words on the left are replaced by those on the right (none: dropped)
PHRASES = {
    "air freshener": "",
    "anti ageing": "antiageing",
    "anti bacterial": "antibacterial",
    "anti dandruff": "antidandruff",
    "anti perspirant": "antiperspirant",
    "body spray": "bodyspray",
    "body wash": "bodywash",
    "breakfast cereal": "",
    "brown sugar": "brownsugar",
    "cat food": "cat",
    "chewing gum": "gum",
    "chocolate bar": "",
    "chocolate block": "",
    "corn flake": "cornflake",
    "cup cake": "cupcake",
    "dishwashing tablet": "dishwasher tablet",
    "dog food": "dog",
    "energy drink": "",
    "extra virgin": "extravirgin",
    "facial wipe": "face wipe",
    "free range": "freerange",
    "good night": "goodnight",
    "herb spice": "",
    "ice cream": "icecream",
    "kit kat": "kitkat",
    "low cut": "lowcut",
    "low fat": "lowfat",
    "mud cake": "mudcake",
    "multi grain": "multigrain",
    "multi vitamin": "multivitamin",
    "non stick": "nonstick",
    "potato chip": "chip",
    "pro v": "prov",
    "roll on": "rollon",
    "roll up": "rollup",
    "soft drink": "",
    "soup can": "soup",
    "sport drink": "",
    "stir fry": "stirfry",
    "sun screen": "sunscreen",
    "super food": "superfood",
    "super seed": "superseed",
    "tee vee": "teevee",
    "tooth brush": "toothbrush",
    "tooth paste": "toothpaste",
    "vita gummy": "vitagummy",
    "whole grain": "wholegrain",
    "whole meal": "wholemeal",
    "zig zag": "zigzag",
}

# solid chocolate is identified by its kind: "dark chocolate almond" and "almond dark" are one block
CHOCOLATE_KINDS = frozenset({"dark", "milk", "white"})
# a solid of these kinds is chocolate wherever the word stands; "milk" is also a good of its own
CHOCOLATE_COLOURS = frozenset({"dark", "white"})

# words that are a product after and a flavour before another of them ("milk chocolate", "chocolate milk"): the key has their order
ORDERED = _words("bread butter cake cheese chocolate coconut coffee cream honey ice milk nut oil powder rice tea water yoghurt")
