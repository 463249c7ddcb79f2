"""Translation tables on their way into the lines of a crawl."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.crawling.cleaning import cleaned, tables_in_force
from include.model.offer import Offer
from include.staging.storage import Storage
from include.staging.translation_tables import Table, TableName, Tables, table_path, write_table
from include.wording.product_key import product_key
from tests.crawling.fake_site import Crawl, HillviewSite, json_reply

AT = datetime(2026, 11, 18, tzinfo=UTC)
KEY = product_key("Article 1")


def write(storage: Storage, canonical: str, variation: str = KEY) -> str:
    return write_table(storage, TableName.PRODUCT, [(variation, canonical)], 3, AT).etag


def keys(crawl: Crawl, outcome: Any) -> dict[str, str]:
    return {sku: product["normalized_name_brand_size"] for sku, product in crawl.products(outcome).items()}


def offer(**more: Any) -> Offer:
    values: dict[str, Any] = {"sku": "1", "name": "Cherry Cola Zero 1.25L", "observed_at": AT, "price_current": Decimal(2)} | more
    return Offer(**values)


def test_brand_sizes_and_key_are_worked_out_with_the_tables() -> None:
    key = product_key("Cherry Cola Zero 1.25L", "The Coca-Cola Company", "1.25L")
    tables = Tables(
        Table(TableName.BRAND, "1", {"the coca cola company": "coca cola"}), Table(TableName.PRODUCT, "2", {key: "coca cola|1250ml"})
    )
    found = cleaned(offer(brand="The Coca-Cola Company", size="1.25L"), tables)
    assert (found.normalized_brand, found.normalized_name_brand_size) == ("coca cola", "coca cola|1250ml")
    assert found.sizes == ("1250ml",)


def test_without_tables_brand_and_key_stay_as_the_rules_read_them() -> None:
    found = cleaned(offer(brand="Zorbo's", size="each"), Tables())
    assert (found.normalized_brand, found.sizes) == ("zorbos", ("1250ml",))
    assert found.normalized_name_brand_size == product_key("Cherry Cola Zero 1.25L", "Zorbo's", "each")


def test_what_has_no_brand_and_no_key_gets_none() -> None:
    found = cleaned(
        offer(name="500g", brand="N/A"), Tables(Table(TableName.BRAND, "1", {"": "wrong"}), Table(TableName.PRODUCT, "1", {"": "wrong"}))
    )
    assert (found.normalized_brand, found.normalized_name_brand_size) == (None, None)


def test_a_crawl_cleans_with_the_tables_and_the_manifest_names_them(crawl: Crawl, storage: Storage) -> None:
    HillviewSite(crawl.site, {"milk": ["1", "2"]})
    assert crawl.manifest(crawl.run("before")).etags == {}
    etag = write(storage, "the canonical")
    outcome = crawl.run()
    assert keys(crawl, outcome) == {"1": "the canonical", "2": product_key("Article 2")}
    assert crawl.manifest(outcome).etags == {"product": etag}


def test_each_store_of_a_run_begins_with_the_tables_in_force(crawl: Crawl, storage: Storage) -> None:
    """Whatever was read for the store before: a table that has changed is seen at once, not only by the next process."""
    HillviewSite(crawl.site, {"milk": ["1"]})
    seen = []
    for number in range(7):
        write(storage, f"canonical {number}")
        seen.append(keys(crawl, crawl.run(f"store-{number}"))["1"])
    assert seen == [f"canonical {number}" for number in range(7)]


def test_tables_are_not_read_again_while_they_stay(crawl: Crawl, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    write(storage, "canonical")
    first = tables_in_force(storage)
    monkeypatch.setattr(Storage, "read", lambda self, path: pytest.fail(f"{path} was read again"))
    assert tables_in_force(storage) == first and tables_in_force(storage).product is first.product


def test_a_resumed_store_day_goes_on_with_the_tables_it_began_with(crawl: Crawl, storage: Storage, tmp_path: Path) -> None:
    """The site fails in the middle, the tables change, the retry ends: the same bytes as a crawl that nothing disturbed."""
    site = HillviewSite(crawl.site, {"milk": ["1", "2"], "tea": ["3"]})
    undisturbed = Crawl(crawl.retailer, crawl.site, Storage(f"file://{tmp_path / 'undisturbed'}"), crawl.settings)
    etag = write(undisturbed.storage, "the first")
    expected = keys(undisturbed, undisturbed.run())

    assert write(storage, "the first") == etag
    site.reply = lambda asked: json_reply({}, 404) if asked.query.get("category") == "tea" else None
    assert not crawl.run().complete
    write(storage, "the second")
    site.reply = lambda asked: None
    resumed = crawl.run()

    assert keys(crawl, resumed) == expected and expected["1"] == "the first"
    assert crawl.manifest(resumed).etags == {"product": etag}
    assert keys(crawl, crawl.run("next"))["1"] == "the second"


def test_a_reread_uses_the_tables_of_its_crawl(crawl: Crawl, storage: Storage) -> None:
    HillviewSite(crawl.site, {"milk": ["1", "2"]})
    etag = write(storage, "the first")
    first = crawl.run()
    write(storage, "the second")
    again = crawl.reread()
    assert crawl.manifest(again).sha256 == crawl.manifest(first).sha256
    assert crawl.manifest(again).etags == {"product": etag}


def test_a_store_day_whose_tables_are_gone_is_reread_with_those_in_force(
    crawl: Crawl, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    etag = write(storage, "the first")
    crawl.run()
    second = write(storage, "the second")
    storage.remove(table_path(TableName.PRODUCT, etag))
    tables_in_force(storage)  # this process forgets the first
    again = crawl.reread()
    assert keys(crawl, again)["1"] == "the second" and crawl.manifest(again).etags == {"product": second}
    assert "is not kept any more" in caplog.text


def test_a_damaged_table_costs_no_prices(crawl: Crawl, storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    write(storage, "canonical")
    storage.write(table_path(TableName.PRODUCT), b"{")
    outcome = crawl.run()
    assert outcome.complete and keys(crawl, outcome) == {"1": KEY}
    assert "goes on with no table" in caplog.text


def test_a_line_keeps_its_reading_in_the_file(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    product = crawl.products(crawl.run())["1"]
    assert json.dumps({name: product[name] for name in ("normalized_brand", "sizes", "normalized_name_brand_size")}) == json.dumps(
        {"normalized_brand": None, "sizes": [], "normalized_name_brand_size": KEY}
    )
