"""Vocabulary of the generated world: departments, kinds of products and brands. All brands are invented.

A product is one combination of kind, variety, size and brand, so no two products have the same text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

#: Department → its name at Coles, Woolworths, Aldi and IGA; ``None`` = this retailer has no such department.
DEPARTMENTS: dict[str, tuple[str, str, str | None, str]] = {
    "meat": ("Meat & Seafood", "Poultry, Meat & Seafood", "Meat & Seafood", "Meat and Seafood"),
    "produce": ("Fruit & Vegetables", "Fruit & Veg", "Fruits & Vegetables", "Fruit and Vegetable"),
    "dairy": ("Dairy, Eggs & Fridge", "Dairy, Eggs & Fridge", "Dairy, Eggs & Fridge", "Dairy, Eggs and Fridge"),
    "bakery": ("Bakery", "Bakery", "Bakery", "Bakery"),
    "deli": ("Deli", "Deli", "Deli & Chilled Meats", "Deli"),
    "pantry": ("Pantry", "Pantry", "Pantry", "Pantry"),
    "world": ("Dietary & World Foods", "International Foods", None, "International Foods"),
    "snacks": ("Chips, Chocolates & Snacks", "Snacks & Confectionery", "Snacks & Confectionery", "Confectionary and Snacks"),
    "drinks": ("Drinks", "Drinks", "Drinks", "Drinks"),
    "frozen": ("Frozen", "Freezer", "Freezer", "Frozen"),
    "household": ("Household", "Cleaning & Maintenance", "Cleaning & Household", "Household"),
    "beauty": ("Health & Beauty", "Personal Care", "Health & Beauty", "Health and Beauty"),
    "baby": ("Baby", "Baby", "Baby", "Baby"),
    "pet": ("Pet", "Pet", "Pets", "Pet"),
    "liquor": ("Liquorland", "Beer, Wine & Spirits", "Liquor", "Liquor"),
}

#: Departments that only repeat products of others, per retailer, with the share of products in them.
PROMOTIONAL = {"coles": ("Down Down", 0.07), "woolworths": ("Lunch Box", 0.10), "aldi": ("Lower Prices", 0.12)}

#: Additional categories of products of a diet.
DIETARY = ("Vegetarian & Vegan", "Gluten Free Range", "Organic", "Lower Sugar")

# department|category|leaf|noun|varieties|sizes|cents of the first size. "~" = weighed, priced by the kilogram.
_KINDS = """
produce|Fruit|Bananas|Bananas|Lady,Plantain|~170g ~190g|390
produce|Fruit|Apples & Pears|Apples|Gala,Red,Green,Pink|~180g ~200g|450
produce|Fruit|Apples & Pears|Pears|Brown,Green,Packham|~200g ~220g|400
produce|Fruit|Berries & Cherries|Berries|Blue,Straw,Rasp,Black|125g 250g 500g|390
produce|Fruit|Citrus|Oranges|Navel,Valencia,Blood|~210g ~240g|350
produce|Vegetables|Potatoes & Onions|Potatoes|Washed,Brushed,Kestrel|~220g 2kg 4kg|400
produce|Vegetables|Potatoes & Onions|Onions|Brown,Red,White|~180g 1kg|300
produce|Vegetables|Salad Vegetables|Tomatoes|Field,Roma,Truss|~140g 250g|690
produce|Vegetables|Salad Vegetables|Lettuce|Iceberg,Cos,Oak Leaf|ea|290
meat|Beef|Steak|Beef Steak|Rump,Porterhouse,Scotch Fillet,T-Bone|~450g ~600g|2600
meat|Beef|Mince|Beef Mince|Premium,Regular,Lean,Grass Fed|500g 1kg 1.5kg|800
meat|Poultry|Chicken Pieces|Chicken Wings|Plain,Marinated,Honey Soy,Portuguese|1kg 2kg|650
meat|Poultry|Whole Chicken|Whole Chicken|Fresh,Free Range,Stuffed|~1500g ~1800g|500
meat|Seafood|Fish Fillets|Fish Fillets|Salmon,Barramundi,Basa,Trout|200g 400g 800g|900
meat|Pork|Sausages|Sausages|Pork,Beef,Lamb & Rosemary,Chicken & Leek,Chilli|450g 550g 1kg|700
dairy|Milk|Full Cream Milk|Full Cream Milk|Fresh,Organic,Jersey,Lactose Free,Goat|600ml 1L 2L 3L|170
dairy|Milk|Skim & Low Fat Milk|Lite Milk|Fresh,Organic,Lactose Free,High Calcium|1L 2L 3L|190
dairy|Milk|Flavoured Milk|Iced Coffee|Strong,Mocha,Latte,Double Shot,No Added Sugar|240ml 500ml 750ml 6x240ml|280
dairy|Cheese|Block Cheese|Cheese Block|Tasty,Vintage,Colby,Extra Tasty,Mild|250g 500g 700g 1kg|500
dairy|Cheese|Grated Cheese|Grated Cheese|Tasty,Mozzarella,Pizza Blend,Parmesan,Light|150g 250g 500g 700g|450
dairy|Cheese|Sliced Cheese|Cheese Slices|Tasty,Swiss,Light,Smoked|200g 250g 500g|420
dairy|Yoghurt|Yoghurt Tubs|Greek Yoghurt|Natural,Vanilla,Honey,Mango,Strawberry,Passionfruit|170g 500g 900g 1kg|250
dairy|Yoghurt|Yoghurt Pouches|Yoghurt Pouch|Banana,Strawberry,Vanilla,Blueberry|70g 120g 6x70g|150
dairy|Butter & Margarine|Butter|Butter|Salted,Unsalted,Spreadable,Cultured|250g 375g 500g|480
dairy|Eggs|Eggs|Eggs|Free Range,Barn Laid,Organic,Jumbo|6pk 10pk 12pk 18pk|400
bakery|Packaged Breads|Sliced Bread|Bread Loaf|White,Wholemeal,Multigrain,Soy & Linseed,High Fibre,Sourdough|650g 700g 750g|300
bakery|Packaged Breads|Rolls & Wraps|Wraps|White,Wholegrain,Spinach,Low Carb|6pk 8pk 12pk|350
bakery|Cakes & Muffins|Muffins|Muffins|Blueberry,Double Choc,Banana,Apple Crumble|2pk 4pk 6pk|420
bakery|Cakes & Muffins|Crumpets & Pancakes|Crumpets|Round,Square,Wholemeal,Toaster|6pk 8pk|260
deli|Sliced Meats|Ham|Ham|Leg,Shaved,Double Smoked,Honey|100g 200g 500g|400
deli|Sliced Meats|Salami|Salami|Danish,Hot,Milano,Pepper|80g 100g 200g|450
deli|Dips & Antipasto|Dips|Dip|Hommus,Tzatziki,Beetroot,French Onion,Capsicum|150g 200g 500g|300
deli|Dips & Antipasto|Olives|Olives|Kalamata,Green,Stuffed,Mixed|150g 250g 400g|480
pantry|Breakfast|Breakfast Cereal|Wheat Biscuits|Original,Honey,Bran,Multigrain|375g 575g 750g 1.12kg|300
pantry|Breakfast|Breakfast Cereal|Muesli|Toasted,Natural,Tropical,Nut & Seed,Berry|500g 750g 1kg|500
pantry|Breakfast|Oats & Porridge|Quick Oats|Original,Honey,Apple & Cinnamon,Creamy Vanilla|400g 500g 900g|330
pantry|Breakfast|Spreads|Peanut Butter|Smooth,Crunchy,Extra Crunchy,No Added Salt|200g 375g 500g 780g|350
pantry|Breakfast|Spreads|Jam|Strawberry,Apricot,Raspberry,Fig,Blackberry,Plum|250g 375g 500g|310
pantry|Pasta, Rice & Grains|Pasta|Pasta|Spaghetti,Penne,Spirals,Fettuccine,Risoni,Macaroni|375g 500g 1kg|180
pantry|Pasta, Rice & Grains|Rice|Rice|Long Grain,Basmati,Jasmine,Brown,Arborio|500g 1kg 2kg 5kg|240
pantry|Sauces|Pasta Sauce|Pasta Sauce|Tomato & Basil,Bolognese,Roast Garlic,Chilli,Napoletana|400g 500g 700g|280
pantry|Sauces|Table Sauces|Tomato Sauce|Original,Reduced Salt,Smoky,Spicy|300ml 500ml 1L 2L|260
pantry|Sauces|Mayonnaise|Mayonnaise|Whole Egg,Light,Japanese Style,Aioli|235g 440g 880g|400
pantry|Canned Food|Canned Vegetables|Baked Beans|Tomato,Ham,Reduced Salt,Barbecue|130g 220g 420g 4x220g|150
pantry|Canned Food|Canned Fish|Tuna|Springwater,Olive Oil,Lemon Pepper,Chilli,Brine|95g 185g 425g 4x95g|170
pantry|Canned Food|Canned Tomatoes|Tomatoes Canned|Diced,Whole,Crushed,Cherry|400g 800g 4x400g|120
pantry|Baking|Flour & Sugar|Flour|Plain,Self Raising,Wholemeal,Bakers|1kg 2kg 5kg|160
pantry|Baking|Flour & Sugar|Sugar|White,Raw,Caster,Brown,Icing|500g 1kg 2kg|180
pantry|Oils & Vinegars|Oils|Oil|Olive,Canola,Sunflower,Avocado,Rice Bran|250ml 500ml 1L 2L 4L|420
pantry|Tea & Coffee|Coffee|Instant Coffee|Classic,Gold,Espresso,Decaf,Dark Roast|50g 100g 150g 200g 400g|500
pantry|Tea & Coffee|Tea|Tea Bags|Black,Green,Earl Grey,Peppermint,Chamomile|20pk 50pk 100pk 200pk|280
pantry|Soups & Noodles|Soups|Soup|Pumpkin,Tomato,Chicken,Minestrone,Pea & Ham|300g 430g 505g|260
pantry|Soups & Noodles|Instant Noodles|Noodles|Chicken,Beef,Laksa,Mi Goreng,Vegetable|70g 85g 5x72g 10x72g|120
world|Asian Foods|Asian Sauces|Soy Sauce|Light,Dark,Sweet,Reduced Salt,Tamari|150ml 250ml 500ml 1L|220
world|Asian Foods|Curry Pastes|Curry Paste|Red,Green,Massaman,Panang,Yellow|50g 114g 185g 400g|250
world|Mexican Foods|Tacos & Burritos|Taco Kit|Original,Crunchy,Soft,Hot|230g 290g 405g|480
world|Indian Foods|Simmer Sauces|Simmer Sauce|Butter Chicken,Tikka,Korma,Rogan Josh,Vindaloo|375g 450g 500g|350
world|Dietary|Gluten Free Biscuits|Gluten Free Cookies|Choc Chip,Ginger,Shortbread,Anzac|150g 160g 250g|450
snacks|Chips|Potato Chips|Potato Chips|Original,Salt & Vinegar,Cheese & Onion,Barbecue,Chicken,Sour Cream|45g 90g 165g 175g 6x19g|250
snacks|Chips|Corn Chips|Corn Chips|Cheese,Original,Nacho,Chilli,Lime|150g 170g 230g 500g|300
snacks|Chocolate|Chocolate Blocks|Chocolate Block|Milk,Dark,White,Hazelnut,Caramel,Mint,Honeycomb|45g 90g 160g 180g 350g|280
snacks|Chocolate|Chocolate Bars|Chocolate Bar|Nougat,Coconut,Wafer,Peanut,Rice Crisp|35g 50g 12x15g|150
snacks|Biscuits|Sweet Biscuits|Biscuits|Choc Ripple,Ginger,Cream,Shortbread,Teddy,Scotch|175g 200g 250g 500g|230
snacks|Biscuits|Savoury Biscuits|Crackers|Rice,Wholemeal,Seaweed,Rosemary,Cheddar,Sesame|100g 150g 200g 250g|220
snacks|Confectionery|Lollies|Lollies|Snakes,Sour Worms,Party Mix,Jelly Babies,Licorice|150g 180g 300g 1kg|260
snacks|Nuts & Bars|Muesli Bars|Muesli Bars|Choc Chip,Apricot,Yoghurt,Nut,Berry|5pk 6pk 8pk 12pk|320
snacks|Nuts & Bars|Nuts|Nuts|Almonds,Cashews,Mixed,Pistachio,Walnuts|150g 400g 750g|450
drinks|Soft Drinks|Cola|Cola|Classic,Zero Sugar,Vanilla,Cherry|375ml 600ml 1.25L 2L 10x375ml 24x375ml|220
drinks|Soft Drinks|Lemonade & Mixers|Soft Drink|Lemonade,Ginger Beer,Lemon Squash,Raspberry,Tonic Water|300ml 1.25L 2L 4x250ml 10x375ml|200
drinks|Juice|Chilled Juice|Juice|Orange,Apple,Pineapple,Tropical,Breakfast|250ml 1L 2L 6x250ml|250
drinks|Water|Still & Sparkling Water|Water|Spring,Sparkling,Lime,Mineral|500ml 750ml 1.5L 10L 24x600ml|120
drinks|Energy Drinks|Single Cans|Energy Drink|Original,Sugar Free,Tropical,Watermelon,Peach|250ml 473ml 500ml 4x250ml|320
drinks|Cordials|Cordials|Cordial|Orange,Raspberry,Lime,Fruit Cup|1L 2L|280
frozen|Frozen Vegetables|Peas & Mixed Vegetables|Frozen Vegetables|Peas,Mixed,Corn,Broccoli,Stir Fry|450g 500g 1kg|260
frozen|Frozen Vegetables|Chips & Wedges|Frozen Chips|Straight Cut,Crinkle Cut,Shoestring,Wedges,Steakhouse|750g 900g 1kg|350
frozen|Ice Cream|Ice Cream Tubs|Ice Cream|Vanilla,Chocolate,Cookies & Cream,Caramel,Neapolitan|500ml 1L 2L 4L|450
frozen|Ice Cream|Ice Cream Sticks|Ice Creams|Classic,Almond,White Choc,Mini|4pk 6pk 10pk|600
frozen|Frozen Meals|Frozen Pizza|Pizza|Supreme,Hawaiian,Margherita,Pepperoni,Meatlovers|300g 370g 500g|450
frozen|Frozen Meals|Frozen Pies|Pies|Beef,Chicken,Steak & Pepper,Cheese & Bacon|4x175g 6x150g 12x30g|520
household|Laundry|Laundry Liquid|Laundry Liquid|Fresh,Sensitive,Eucalyptus,Active,Lavender|900ml 1L 2L 4L|600
household|Laundry|Laundry Powder|Laundry Powder|Front Loader,Top Loader,Sensitive,Stain Lift|500g 1kg 2kg 4kg|500
household|Dishwashing|Dishwasher Tablets|Dishwasher Tablets|All In One,Lemon,Platinum,Eco|18pk 28pk 42pk 60pk|900
household|Dishwashing|Dishwashing Liquid|Dishwashing Liquid|Lemon,Green Apple,Original,Aloe|400ml 500ml 900ml 1.5L|250
household|Paper Goods|Toilet Paper|Toilet Paper|Soft,Long Roll,Recycled,Thick|6pk 12pk 24pk 36pk|450
household|Paper Goods|Tissues & Paper Towel|Paper Towel|White,Printed,Strong,Recycled|2pk 4pk 8pk|300
household|Cleaning|Surface Cleaners|Surface Spray|Bathroom,Kitchen,Glass,Floor,Antibacterial|500ml 750ml 2L|350
beauty|Hair Care|Shampoo|Shampoo|Repair,Moisture,Volume,Anti Dandruff,Colour|250ml 350ml 400ml 900ml|500
beauty|Hair Care|Conditioner|Conditioner|Repair,Moisture,Volume,Smooth,Colour|250ml 350ml 400ml 900ml|500
beauty|Oral Care|Toothpaste|Toothpaste|Whitening,Mint,Sensitive,Kids,Charcoal|80g 110g 190g|350
beauty|Bath & Shower|Body Wash|Body Wash|Coconut,Citrus,Sensitive,Oat,Rose|400ml 500ml 1L|450
beauty|Deodorants|Deodorants|Deodorant|Sport,Fresh,Powder,Clinical,Citrus|50ml 100g 150g 250ml|400
beauty|Vitamins|Vitamins|Vitamins|Multi,C,D,Magnesium,Fish Oil|30pk 60pk 100pk 200pk|900
baby|Nappies|Nappies|Nappies|Newborn,Infant,Crawler,Toddler,Walker|18pk 36pk 54pk 90pk|1100
baby|Baby Food|Baby Food Pouches|Baby Puree|Apple,Pear & Mango,Pumpkin,Beef & Veg,Banana|90g 120g 170g 4x120g|180
baby|Wipes|Baby Wipes|Baby Wipes|Unscented,Aloe,Sensitive,Water|20pk 80pk 160pk 240pk|250
pet|Dog|Dry Dog Food|Dry Dog Food|Beef,Chicken,Lamb & Rice,Puppy,Senior|1.5kg 3kg 8kg 20kg|800
pet|Dog|Wet Dog Food|Dog Food|Beef,Chicken,Lamb,Casserole,Kangaroo|100g 400g 700g 12x100g|180
pet|Cat|Wet Cat Food|Cat Food|Tuna,Ocean Fish,Chicken,Salmon,Turkey|85g 400g 12x85g 24x85g|140
pet|Cat|Cat Litter|Cat Litter|Clay,Crystal,Paper,Scented|2kg 5kg 7kg 15L|500
liquor|Beer|Lager|Lager|Crisp,Mid Strength,Dry,Zero Alcohol|330ml 6x330ml 24x375ml|450
liquor|Wine|Red Wine|Red Wine|Shiraz,Merlot,Pinot Noir,Cabernet|187ml 750ml 2L|900
liquor|Wine|White Wine|White Wine|Chardonnay,Riesling,Pinot Gris,Semillon|187ml 750ml 2L|900
"""

_BRANDS = (
    "Quollbrook,Tindarra,Marlow & Finch,Brindle Bay,Wattlemere,Corrigee,Pippinjay,Old Tolmie,Kestrelle,Dunmoorin,Néralle,O'Tansy's,"
    "Hob-Nettle,Yarrabelle,Saltgrove,Mulberry Jack,Larkhaven,Bindi Creek,Fernlea's,Goldwhistle,Emberly,Thistle & Rye,Copper Emu,Wirrabong,"
    "Lumehaven,Captain Plover's,Mirrin,Ashgully,Nanna Prue's,Zephyrine,Tallowick,Barnaby Gum,Hexley,Rosella Lane,Uncle Fitch's,Solstead,"
    "Plumbago,Kookabee,Driftmoor,Vell-Ora,Harrow Hill,Moonah,Two Wombats,Cobberfield,Ginkgo Row,Sunday Mill,Pebblewick,Juniper Flat,"
    "Crème Dallow,Ned's Gully,Orrinvale,Fig & Feather,Bluetongue Bros,Windle's,Mallee Maid,Ironpot,Tea-Tree Tilly,Quandry,Sable & Sage,舒青屋"
)
BRANDS = tuple(_BRANDS.split(","))

BRANDS_A_DEPARTMENT = 18

#: Woolworths' spelling of a brand: without apostrophes and hyphens, shortened, or the maker instead of the line.
BRAND_AT_WOOLWORTHS = {
    "O'Tansy's": "Otansys", "Hob-Nettle": "Hob Nettle", "Captain Plover's": "Captain Plovers", "Vell-Ora": "Vell Ora",
    "Uncle Fitch's": "Uncle Fitchs", "Barnaby Gum": "Barnaby", "Bluetongue Bros": "Bluetongue",
}  # fmt: skip

#: Own labels: brands that only one retailer has.
OWN_LABELS = {
    "coles": ("Harrowgate", "Harrowgate Finest"),
    "woolworths": ("Woldmere", "Woldmere Gold"),
    "aldi": (
        "FARMLARK", "GLENVALE ROW", "ORCHARD TWELVE", "BELMOOR", "CRESTWOOD & SON", "LUCERNO", "NORTHERN BARN", "OLLA MIA", "PRIMADORN",
        "SEASIDE HATCH", "TANDIL", "WINDERS", "YARNBOOL", "ZOLA MAY",
    ),
    "iga": ("Blackwattle & Co",),
}  # fmt: skip

_SIZE = re.compile(r"(?P<weighed>~)?(?:(?P<count>\d+)x)?(?P<amount>[\d.]+)(?P<unit>g|kg|ml|L|pk)")


@dataclass(frozen=True, slots=True)
class Size:
    """A pack: ``count`` units of ``amount`` ``unit`` (g, ml or ea); ``text`` in the world's notation, e.g. ``6x240ml``."""

    text: str
    count: int
    amount: int
    unit: str
    is_weighed: bool = False

    @property
    def total(self) -> int:
        """The total content of the pack, in g, ml or pieces."""
        return self.count * self.amount


@cache
def size(text: str) -> Size:
    """Read a size of the vocabulary.

    >>> size("6x240ml").total, size("1.5kg").total, size("~170g").is_weighed, size("12pk").unit
    (1440, 1500, True, 'ea')
    """
    if text == "ea":
        return Size("each", 1, 1, "ea")
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"size {text!r} in sandbox/vocabulary.py is not like 500g, 6x240ml, 12pk, ~170g or ea")
    amount, unit = float(match["amount"]), match["unit"]
    scale, base = {"g": (1, "g"), "kg": (1000, "g"), "ml": (1, "ml"), "L": (1000, "ml"), "pk": (1, "ea")}[unit]
    return Size(text.lstrip("~"), int(match["count"] or 1), round(amount * scale), base, match["weighed"] is not None)


@dataclass(frozen=True, slots=True)
class ProductKind:
    """One line of the vocabulary. ``cents`` is the usual price of the first size (of a kilogram when weighed)."""

    department: str
    category: str
    leaf: str
    noun: str
    varieties: tuple[str, ...]
    sizes: tuple[Size, ...]
    cents: int

    @property
    def is_loose(self) -> bool:
        """Whether the products have no brand and only in-store codes."""
        return self.department == "produce"


def _kind(line: str) -> ProductKind:
    department, category, leaf, noun, varieties, sizes, cents = line.split("|")
    return ProductKind(department, category, leaf, noun, tuple(varieties.split(",")), tuple(map(size, sizes.split())), int(cents))


KINDS = tuple(map(_kind, _KINDS.strip().splitlines()))


def brands_of(department: str, wave: int = 0) -> tuple[str, ...]:
    """Return the invented brands of a department; neighbouring ones share some. Each ``wave`` (0, 1, 2) has different brands."""
    start = 7 * list(DEPARTMENTS).index(department) + wave * BRANDS_A_DEPARTMENT
    return tuple(BRANDS[(start + step) % len(BRANDS)] for step in range(BRANDS_A_DEPARTMENT))
