"""Woolworths' store finder: supermarkets and the petrol stations of two chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox import seeded_random
from sandbox.site import Json, distance_km, number
from sandbox.world import SandboxStore

_DAYS = ("Today", "Tomorrow", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def find(stores: Sequence[SandboxStore], params: Mapping[str, str]) -> list[Json]:
    """Return stores by ``Division`` (comma list), ``postcode`` (``*`` = any) or position, at most ``Max``."""
    divisions = set(filter(None, params.get("Division", "").split(",")))
    found = [entry for entry in stores if not divisions or entry.brand in divisions]
    postcode = params.get("postcode", "*")
    if postcode not in ("", "*"):
        found = [entry for entry in found if entry.postcode == postcode.zfill(4)]
    if "latitude" in params and "longitude" in params:
        latitude, longitude = float(params["latitude"]), float(params["longitude"])
        found.sort(key=lambda entry: distance_km(entry, latitude, longitude))
        distances = [f"{distance_km(entry, latitude, longitude):.2f}" for entry in found]
        entries = [store(entry) | {"Distance": distance} for entry, distance in zip(found, distances, strict=True)]
    else:
        entries = [store(entry) for entry in found]
    return entries[: number(params.get("Max"), 50)]


def store(entry: SandboxStore) -> Json:
    """Return one store; numbers and coordinates are text, a quarter of the stores has no telephone."""
    facilities = ["General-ATM", "Rewards-Everyday Rewards"] + ([] if entry.is_open else ["Closed due to bushfires"])
    return {
        "Division": entry.brand,
        "StoreNo": entry.store_id,
        "Name": entry.name,
        "AddressLine1": entry.address_line,
        "AddressLine2": None,
        "Suburb": entry.suburb,
        "State": entry.state,
        "Postcode": entry.postcode.lstrip("0"),
        "Latitude": str(entry.latitude),
        "Longitude": str(entry.longitude),
        "GeoLevel": "0",
        "Distance": None,
        "Phone": entry.phone,
        "GMTZone": "10:0",
        "IsOpen": entry.is_open,
        "PartnerUrl": None,
        "TradingHours": _hours(),
        "Facilities": facilities,
        "CategorisedFacilities": [{"Category": "General", "CategoryLabel": "Store services", "Facilities": ["ATM"]}],
        "NearbyPartners": [_partner(entry)] if seeded_random.random_int("partner", entry.store_id) % 3 == 0 else [],
    }


def _partner(entry: SandboxStore) -> Json:
    """Return a shop of another company in the same centre, as listed under a store."""
    found = {
        "Division": "BIGW", "StoreNo": str(100 + seeded_random.random_int("partner", entry.store_id) % 300), "Name": entry.suburb, "AddressLine1": entry.address_line,
        "AddressLine2": None, "Suburb": entry.suburb, "State": entry.state, "Postcode": entry.postcode.lstrip("0"),
        "Latitude": str(entry.latitude), "Longitude": str(entry.longitude), "GeoLevel": "0", "Distance": "0.05", "Phone": "(02) 5550 0000",
        "GMTZone": "10:0", "IsOpen": entry.is_open, "PartnerUrl": "/storelocator/bigw", "TradingHours": _hours(), "Facilities": ["Photo Centre"],
        "CategorisedFacilities": [], "NearbyPartners": None,
    }  # fmt: skip
    return found


def _hours() -> list[Json]:
    return [{"Day": day, "OpenHour": "7:00 AM - 10:00 PM", "TradingHourForDisplay": f"{day[:3]}: 0700-2200"} for day in _DAYS]


def fulfilment(stores: Sequence[SandboxStore], postcode: str) -> list[Json]:
    """Return the supermarkets near a postcode in the fulfilment route's format, sorted by numeric distance of the postcodes."""
    wanted = number(postcode, 0)
    near = sorted((entry for entry in stores if entry.kind == "supermarket"), key=lambda entry: abs(number(entry.postcode, 0) - wanted))
    return [
        {
            "FulfilmentStoreId": int(entry.store_id), "Description": entry.name, "AddressLine1": entry.address_line, "Suburb": entry.suburb,
            "State": entry.state, "Postcode": entry.postcode, "Latitude": entry.latitude, "Longitude": entry.longitude, "IsOpen": entry.is_open,
        }
        for entry in near[:20]
    ]  # fmt: skip
