"""The stores of the generated world: location, kind and price zone.

Suburbs, streets and numbers are invented; postcodes and positions are plausible for their state.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox import seeded_random
from sandbox.world import Kind, SandboxStore

# State: a city's position, its spread in degrees, first and last postcode, telephone area.
_STATES = {
    "NSW": (-33.87, 151.05, 1.2, 2000, 2599, "02"),
    "VIC": (-37.81, 144.96, 1.0, 3000, 3999, "03"),
    "QLD": (-27.47, 152.90, 1.3, 4000, 4899, "07"),
    "WA": (-31.95, 115.95, 0.7, 6000, 6797, "08"),
    "SA": (-34.93, 138.65, 0.6, 5000, 5799, "08"),
    "TAS": (-42.60, 147.20, 0.6, 7000, 7470, "03"),
    "ACT": (-35.28, 149.12, 0.1, 2600, 2618, "02"),
    "NT": (-12.50, 130.98, 0.2, 800, 899, "08"),
}
# Pairs first: even a small world has two stores of one zone.
_FIRST = ("VIC", "VIC", "NSW", "NSW", "QLD", "NT", "SA", "WA", "ACT", "TAS")
_WEIGHTED = ("NSW",) * 30 + ("VIC",) * 27 + ("QLD",) * 22 + ("WA",) * 10 + ("SA",) * 7 + ("TAS",) * 2 + ("ACT", "NT")
_FRONT = (
    "Wattle",
    "Quarry",
    "Banksia",
    "Myrtle",
    "Cooper",
    "Tallow",
    "Heron",
    "Lyre",
    "Stony",
    "Bower",
    "Gannet",
    "Melaleuca",
    "Prow",
    "Sorrel",
)
_BACK = ("ford", "vale", "haven", "brook", "moor", "stead", " Ridge", " Park", " Junction", " Heads", "wick", "field", " Flat", " Rise")
_STREETS = ("Station St", "Main Rd", "Centre Pde", "Railway Tce", "Mill Lane", "Harbour Dr", "Cnr High St & Church St")

_NAMES = {
    "coles": ("Coles", "Coles Supermarkets"),
    "woolworths": ("", "SUPERMARKETS"),
    "aldi": ("ALDI", "ALDI"),
    "iga": ("IGA", "IGA"),
}


def stores_of(seed: int, retailer: str, supermarkets: int, silent: int) -> list[SandboxStore]:
    """Return all stores of a retailer: supermarkets first, then the other shops of its store locator.

    Liquor shops (Coles), petrol stations (Woolworths), shops without a web shop (IGA), one closed store
    each (except Aldi), and ``silent`` ones that are listed but list no products (Aldi).
    """
    found = [_store(seed, retailer, number, "supermarket") for number in range(supermarkets)]
    if retailer != "aldi":  # Aldi's service points are all trading: isOpenNow is about the hour
        found.append(_store(seed, retailer, supermarkets, "supermarket", is_open=False))
    extras = max(1, supermarkets // 2)
    if retailer == "coles":
        found += [_neighbour(found[number], _store(seed, retailer, 5000 + number, "liquor")) for number in range(extras)]
    if retailer == "woolworths":
        found += [_store(seed, retailer, 5000 + number, "petrol") for number in range(extras)]
    if retailer == "iga":
        found += [_store(seed, retailer, 5000 + number, "supermarket", online=False) for number in range(extras)]
    if retailer == "aldi":
        found += [_store(seed, retailer, supermarkets + 1 + number, "supermarket", is_silent=True) for number in range(silent)]
    return found


def _neighbour(to: SandboxStore, shop: SandboxStore) -> SandboxStore:
    return replace(
        shop,
        name=f"{shop.brand} {to.suburb}",
        address_line=to.address_line,
        suburb=to.suburb,
        state=to.state,
        postcode=to.postcode,
        latitude=round(to.latitude + 0.002, 6),
        longitude=to.longitude,
        zone=to.zone,
    )


def _state(seed: int, retailer: str, number: int) -> str:
    state = _FIRST[number] if number < len(_FIRST) else seeded_random.pick(_WEIGHTED, seed, "state", retailer, number)
    return {"TAS": "NSW", "NT": "QLD"}.get(state, state) if retailer == "aldi" else state  # Aldi has no store there


def _store(
    seed: int, retailer: str, number: int, kind: Kind, *, is_open: bool = True, online: bool = True, is_silent: bool = False
) -> SandboxStore:
    state = _state(seed, retailer, number)
    latitude, longitude, spread, first, last, area = _STATES[state]
    postcode = first + seeded_random.random_int(seed, "postcode", retailer, number) % (last - first + 1)
    suburb = seeded_random.pick(_FRONT, seed, "front", retailer, number) + seeded_random.pick(_BACK, seed, "back", retailer, number)
    store_id, online_store_id = _ids(retailer, number, kind)
    prefix, brand = _names(retailer, number, kind)
    return SandboxStore(
        retailer=retailer,
        store_id=store_id,
        online_store_id=online_store_id if online else None,
        name=f"{prefix} {suburb}".strip(),
        kind=kind,
        brand=brand,
        address_line=f"{1 + seeded_random.random_int(seed, 'door', retailer, number) % 400} {seeded_random.pick(_STREETS, seed, 'street', retailer, number)}",
        suburb=suburb,
        state=state,
        postcode=f"{postcode:04d}",
        latitude=round(latitude + spread * (seeded_random.random_share(seed, "lat", retailer, number) - 0.5), 6),
        longitude=round(longitude + spread * (seeded_random.random_share(seed, "long", retailer, number) - 0.5), 6),
        phone=None if number % 4 == 3 else f"({area}) 5550 {seeded_random.random_int(seed, 'phone', retailer, number) % 10_000:04d}",
        is_open=is_open,
        zone=f"shop {store_id}" if retailer == "iga" else {"ACT": "NSW"}.get(state, state),
        is_silent=is_silent,
    )


def _ids(retailer: str, number: int, kind: Kind) -> tuple[str, str]:
    """Return store id and web shop id. The first IGA has the id of the first Woolworths: ids are unique per retailer only."""
    if retailer == "coles":
        digits = 584 + 3 * number if kind == "supermarket" else 2200 + number - 5000
        return f"{'COL' if kind == 'supermarket' else 'LQR'}:{digits}", f"{digits:04d}"
    if retailer == "woolworths":
        digits = 10245 if number == 0 else 1100 + number if kind == "supermarket" else 20006 + 2 * (number - 5000)
        return str(digits), str(digits)
    if retailer == "aldi":
        return f"G{100 + number:03d}", f"G{100 + number:03d}"
    return str(10245 + 17 * number), str(32600 + 11 * number)


def _names(retailer: str, number: int, kind: Kind) -> tuple[str, str]:
    if kind == "liquor":
        return ("Liquorland", "Liquorland")
    if kind == "petrol":
        return ("Ampol Foodary", "AMPOL") if number % 2 == 0 else ("EG Ampol", "EG")
    return _NAMES[retailer]


def city(state: str) -> tuple[float, float, str]:
    """Return latitude, longitude and first postcode of a state's largest city; Melbourne's for an unknown state."""
    latitude, longitude, _, first, _, _ = _STATES.get(state, _STATES["VIC"])
    return latitude, longitude, f"{first:04d}"
