"""Each retailer's format of a product: name with or without brand and size, and the size itself."""

from __future__ import annotations

from sandbox.vocabulary import Size


def label(retailer: str, name: str, brand: str | None, size: Size) -> str:
    """Return the product name on this retailer's site.

    >>> from sandbox.vocabulary import size as read
    >>> [label(r, "Lite Milk", "Moonah", read("2L")) for r in ("coles", "woolworths", "aldi", "iga")]
    ['Lite Milk', 'Moonah Lite Milk', 'Lite Milk 2L', 'Moonah Lite Milk']
    """
    if retailer == "coles":
        return name
    if retailer == "aldi":
        return f"{name} per kg" if size.is_weighed else f"{name} {size.text}" if size.text != "each" else name
    return f"{brand} {name}" if brand else name


def pack(retailer: str, size: Size, variant: int) -> str | None:
    """Return the size text on this retailer's site; ``variant`` (any number) selects one of the spellings in use.

    >>> from sandbox.vocabulary import size as read
    >>> [pack("coles", read(s), 0) for s in ("2L", "6x240ml", "24pk", "~170g", "ea")], pack("coles", read("500g"), 54)
    (['2L', '6x240mL', '24 Pack', 'approx. 170g', '1 each'], '500gram')
    >>> [pack("woolworths", read(s), 0) for s in ("1.5kg", "6x240ml", "24pk", "~170g")]
    ['1.5Kg', '240ml x 6 pack', '24 pack', 'Each']
    >>> [pack("aldi", read(s), 0) for s in ("420g", "2L", "6pk")], pack("aldi", read("420g"), 1)
    (['420 g', '2 L', '6 each'], '0.42 kg')
    >>> [pack("iga", read(s), 0) for s in ("420g", "~170g", "6x240ml", "ea")]
    ['420g Each', '170g EachUnit', '1440ml Each', 'Each']
    """
    return {"coles": _coles, "woolworths": _woolworths, "aldi": _aldi, "iga": _iga}[retailer](size, variant)


def _short(amount: int, unit: str, big: str, small: str) -> str:
    return f"{amount / 1000:g}{big}" if amount >= 1000 else f"{amount}{small}"


def _coles(size: Size, variant: int) -> str:
    if size.is_weighed:
        return (
            f"approx. {size.amount / 1000:g}kg"
            if size.amount >= 1000
            else f"approx. {size.amount}g" + (" each" if size.amount > 300 else "")
        )
    if size.unit == "ea":
        return "1 each" if size.text == "each" else f"{size.amount} {('Pack', 'pack')[variant % 2]}"
    if size.count == 1 and size.amount < 1000 and variant % 53 < 3:  # spellings of a few percent
        return f"{size.amount}{({'g': (' gram', 'gram', ' g'), 'ml': (' ml', ' ml', 'ml')}[size.unit])[variant % 53]}"
    unit = _short(size.amount, size.unit, "kg", "g") if size.unit == "g" else _short(size.amount, size.unit, "L", "mL")
    return f"{size.count}x{unit}" if size.count > 1 else unit


def _woolworths(size: Size, variant: int) -> str:
    if size.is_weighed or size.text == "each":
        return "Each"
    if size.unit == "ea":
        return f"{size.amount} pack"
    kilo, gram = (("Kg", "g"), ("kg", "g"), ("Kg", "G"))[variant % 3]
    unit = _short(size.amount, size.unit, kilo, gram) if size.unit == "g" else _short(size.amount, size.unit, "L", "ml")
    return f"{unit} x {size.count} pack" if size.count > 1 else unit


def _aldi(size: Size, variant: int) -> str | None:
    if size.unit == "ea":
        return f"{size.amount} each"
    if size.is_weighed:
        return f"approx. {size.amount / 1000:g} kg per piece"
    if size.unit == "g":
        return f"{size.total / 1000:g} kg" if variant % 2 or size.total >= 1000 else f"{size.total} g"
    return f"{size.total / 1000:g} L" if size.total >= 1000 else f"{size.total} ml"


def _iga(size: Size, variant: int) -> str:
    if size.unit == "ea":
        return "Each"
    if size.is_weighed:
        return f"{size.amount}g EachUnit"
    return f"{size.total}{size.unit} Each"
