"""Words that tell goods apart, in classes: two goods with different words of one class are different goods, and none of them ever falls out of a key."""

from __future__ import annotations

# Written as :func:`include.wording.product_key.spelling` returns them.
_CLASSES = {
    "state": "fresh frozen dried chilled smoked raw cooked roasted unroasted roast crumbed marinated pickled instant powdered ground crushed paste puree whole",
    "cut": "breast thigh wing drumstick fillet mince diced sliced shredded grated rasher steak chop cutlet loin rump sirloin porterhouse shank rib brisket",
    "breed or age": "puppy kitten junior adult senior infant toddler newborn crawler walker baby kid child breed",
    "strength": "extra forte max ultra super strong regular mild medium hot intense gentle original classic plain",
    "fat": "light full skim skimmed reduced trim hilo lean creamy cream",
    "free of": "zero diet free unsalted salted unsweetened sweetened decaf unscented unfragranced noadded",
    "firmness": "soft firm hard smooth crunchy chunky creamy crispy thick thin wide slim",
    "sex": "men man women woman male female boy girl unisex",
    "form": "shampoo conditioner mask serum spray aerosol rollon stick gel mousse cream lotion oil foam powder liquid tablet capsule gummy lozenge bar",
    "wing": "wing winged nowing overnight goodnight day night",
    "colour": "black white red green blue yellow pink purple brown blonde silver gold orange grey dark milk",
    "meat": "beef chicken lamb pork turkey duck tuna salmon fish prawn ham bacon veal kangaroo sardine",
    "flavour": """vanilla chocolate strawberry raspberry blueberry mango lemon lime orange apple banana peach passionfruit pineapple coconut caramel honey
        hazelnut almond mint peppermint cherry berry grape cola ginger tomato garlic onion basil chilli cheese barbecue vinegar salt pepper lavender
        rose jasmine eucalyptus mushroom butter cinnamon coffee mocha cooky pear apricot watermelon melon""",
}  # fmt: skip

_CLASS_OF: dict[str, str] = {}
for _name, _words in _CLASSES.items():
    for _word in _words.split():
        _CLASS_OF.setdefault(_word, _name)


def class_of(word: str) -> str | None:
    """The class of a spelt word that tells goods apart; None for any other word.

    >>> class_of("frozen"), class_of("puppy"), class_of("vanilla"), class_of("kaleido")
    ('state', 'breed or age', 'flavour', None)
    """
    return _CLASS_OF.get(word)


def words() -> frozenset[str]:
    """All words of all classes."""
    return frozenset(_CLASS_OF)
