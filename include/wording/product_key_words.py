"""The word lists behind the product key. They are fixed: a changed list is a new ``product_key.RULE_VERSION``.

Words are written as :func:`include.wording.product_key.spelling` returns them: folded, one spelling, singular.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# short forms, spelling variants and numbers in words
SPELLINGS = {
    "aluminum": "aluminium", "barbeque": "barbecue", "bbq": "barbecue", "cacao": "cocoa", "canned": "can", "caps": "capsule", "chamomile": "camomile", "chile": "chilli", "chili": "chilli", "choc": "chocolate",
    "color": "colour",
    "concentrated": "concentrate", "decaffeinated": "decaf", "crisps": "chip", "donut": "doughnut", "donuts": "doughnut", "fiber": "fibre",
    "flavor": "flavour", "flavored": "flavour", "flavoured": "flavour", "gray": "grey", "liquorice": "licorice", "lite": "light", "mayo": "mayonnaise", "houmous": "hommus", "hummus": "hommus",
    "multipack": "pack", "pkt": "pack", "prepacked": "prepack", "sharepack": "pack", "tabs": "tablet", "uht": "longlife", "veg": "vegetable", "veggie": "vegetable", "vege": "vegetable", "yogurt": "yoghurt",
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
    """antiperspirant battery biscuit cereal chip cleaner confectionery cracker crispbread deodorant detergent dip dishwashing drink fabric fragrance laundry lolly manual muesli nappy noodle
    panty pasta porridge sanitary snack soup spread toilet toothpaste"""
)
# what a name praises or says of the trade, not of the good: dropped while another word identifies the good
CLAIMS = _words(
    """advanced alway assorted authentic bonus delicious deluxe edition everyday exclusive famous favourite fine finest gourmet improved limited loose luxe
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
        "crystal": "jelly",
        "hair": "conditioner hairspray shampoo",
        "infusion": "tea",
        "mint": "peppermint spearmint",
        "pasta": "bucatini cannelloni farfalle fettuccine fusilli lasagne linguine macaroni pappardelle penne ravioli rigatoni risoni spaghetti spiral tagliatelle tortellini",
        "rice": "arborio basmati jasmine",
        "sauce": "aioli ketchup mayonnaise passata pesto sriracha",
    }.items()
}
# before "chip" these say what it is made of, and it stays: chocolate chips are no potato chips
CHIPS_OF = _words("baking banana beer chocolate coconut corn dark hot milk mint pita rice tortilla white wood")
# forms in which doses are counted: one retailer writes them in the name, another in the size
DOSE_FORMS = _words("caplet capsule chewable gummy lozenge softgel tablet")
# words for the extent of a pack before one for a pack: "party bag", "value pack"
PACK_EXTENTS = _words("bulk family gift jumbo large lunch medium mega party roll share sharing small snack treat value")
PACK_KINDS = _words("bag block box pack pouch")

# words (with a line between them) that are written apart or together: read as one word
COMPOUNDS = _words(
    """anti_ageing anti_bacterial anti_dandruff anti_perspirant bean_shoot beer_nut bi_carbonate black_forest body_science body_spray body_wash boysen_berry
    breast_feeding brown_sugar bubble_gum butter_milk chick_pea cold_sore corn_flake corn_flour cous_cous cup_cake curly_wurly dish_washing
    dragon_fruit extra_virgin eye_brow eye_liner eye_shadow eye_studio flat_bread free_range fresh_burst fruit_cake fun_size ginger_nut good_night
    grain_wave gum_care hair_spray hand_wash honey_comb hot_dog hypo_allergenic ice_cream joo_joo kit_kat kiwi_fruit lemon_grass lip_liner long_life
    low_cut low_fat lunch_box make_up meat_loaf meat_lover milky_bar mud_cake multi_flavour multi_grain multi_purpose multi_vitamin non_stick
    passion_fruit pop_corn poppy_seed power_grain pro_relief pro_v roll_on roll_up rose_water sea_weed short_cut skin_light sleepy_time snow_pea
    sour_dough soy_bean spring_water stir_fry stock_pot sun_dried sun_screen super_food super_seed sweet_corn tee_vee tooth_brush tooth_paste
    vita_gummy whole_grain whole_meal whole_wheat wild_berry wood_fired x_treme zig_zag"""
)

# several spellings of one product: the words on the left are replaced by those on the right (none: dropped)
PHRASES = {
    "air freshener": "",
    "breakfast cereal": "",
    "cat food": "cat",
    "chewing gum": "gum",
    "chocolate bar": "",
    "chocolate block": "",
    "dishwashing tablet": "dishwasher tablet",
    "dog food": "dog",
    "energy drink": "",
    "front loader": "frontloader",
    "front top": "",
    "front top loader": "",
    "facial wipe": "face wipe",
    "herb spice": "",
    "potato chip": "chip",
    "soft drink": "",
    "no added sugar": "noaddedsugar",
    "no sugar": "sugarfree",
    "no sugar added": "noaddedsugar",
    "per kg": "",
    "per kilo": "",
    "soup can": "soup",
    "sport drink": "",
    "sugar free": "sugarfree",
    "top front": "",
    "top front loader": "",
    "top loader": "toploader",
    "zero sugar": "sugarfree",
}

# solid chocolate is identified by its kind: "dark chocolate almond" and "almond dark" are one block
CHOCOLATE_KINDS = frozenset({"dark", "milk", "white"})
# Solid goods of these brands are of chocolate, and a bar or a block is what the size says.
CHOCOLATE_MAKERS = _words("bounty cadbury ferrero freddo kinder kitkat lindor lindt malteser mar snicker toblerone twix whittaker")
CHOCOLATE_FORMS = frozenset({"bar", "block", "chocolate"})
# a solid of these kinds is chocolate wherever the word stands; "milk" is also a good of its own
CHOCOLATE_COLOURS = frozenset({"dark", "white"})

# words that are a product after and a flavour before another of them ("milk chocolate", "chocolate milk"): the key has their order
ORDERED = _words("bread butter cake cheese chocolate coconut coffee cream honey ice milk nut oil powder rice tea water yoghurt")
