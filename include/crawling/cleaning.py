"""Cleaning: what a crawl works out of an offer's texts, with the translation tables it is given."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from include.model.offer import Offer
from include.staging.storage import Storage
from include.staging.translation_tables import NotChanged, Table, TableName, Tables, UnreadableTable, read_table, read_version
from include.wording.brand import fold_brand
from include.wording.product_key import product_key
from include.wording.size import readings

log = logging.getLogger(__name__)

#: The tables that this process has read last, by storage root and name; each use asks whether they are still in force.
_kept: dict[tuple[str, TableName], Table] = {}


def cleaned(offer: Offer, tables: Tables) -> Offer:
    """Return the offer with its brand, sizes and product key as the tables write them.

    >>> from datetime import UTC, datetime
    >>> milk = Offer(sku="1", name="Full Cream Milk", brand="Paul's", size="2L", observed_at=datetime(2026, 11, 18, tzinfo=UTC), price_current=None)
    >>> found = cleaned(milk, Tables(brand=Table(TableName.BRAND, "1", {"pauls": "pauls dairy"})))
    >>> found.normalized_brand, found.sizes, found.normalized_name_brand_size
    ('pauls dairy', ('2000ml',), 'cream full milk paul cream>milk|2000ml')
    """
    brand, key = fold_brand(offer.brand), product_key(offer.name, offer.brand, offer.size)
    return replace(
        offer,
        normalized_brand=tables.brand.canonical(brand) if brand else None,
        sizes=tuple(size.canonical for size in readings(offer.size, offer.name)),
        normalized_name_brand_size=tables.product.canonical(key) if key else None,
    )


def tables_in_force(storage: Storage) -> Tables:
    """Return the tables for a store that begins now. Of tables that this process knows already, only the ETag is read.

    A damaged table costs no prices: the crawl goes on with the one before it, and the log says so.
    """
    return Tables(_in_force(storage, TableName.BRAND), _in_force(storage, TableName.PRODUCT))


def tables_of(storage: Storage, etags: Mapping[str, str]) -> Tables:
    """Return the tables with these ETags, as a store-day recorded them when it began; those in force where a version is not kept any more."""
    return Tables(_version(storage, TableName.BRAND, etags), _version(storage, TableName.PRODUCT, etags))


def _in_force(storage: Storage, name: TableName) -> Table:
    kept = _kept.get((storage.url, name))
    try:
        found = read_table(storage, name, kept.etag if kept else None)
    except UnreadableTable as error:
        log.error("%s The crawl goes on with %s.", error, f"version {kept.etag}" if kept else "no table")
        return kept or Table(name)
    if isinstance(found, NotChanged):
        assert kept is not None
        return kept
    _kept[storage.url, name] = found
    return found


def _version(storage: Storage, name: TableName, etags: Mapping[str, str]) -> Table:
    etag = etags.get(str(name), "")
    kept = _kept.get((storage.url, name))
    found = kept if kept is not None and kept.etag == etag else read_version(storage, name, etag)
    if found is None:
        log.warning(
            "version %s of the %s table, with which the store-day began, is not kept any more: the one in force is used", etag, name
        )
        return _in_force(storage, name)
    return found
