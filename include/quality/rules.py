"""The rule catalogue: the only place where a rule about data stands.

A **row rule** is a predicate over ``staging.offer``, true where the line breaks it. From this list come the
Great Expectations suite (``suite.py``) and the single pass that marks lines for quarantine (``gate.py``);
a test asserts that both count the same. **Store-day rules** judge a whole file against the store's earlier
ones (``store_day.py`` computes them, thresholds are settings).

Severities: ``refuse`` sends the line to quarantine, ``critical`` holds the store-day, ``warning`` tells a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Goes into the ledger with every check. Raise it when a rule changes.
CATALOGUE_VERSION = "1"

PRICE_MAX_DOLLARS = 20_000
_READABLE = "(defects IS NULL OR NOT defects && ARRAY['not_json', 'line_too_long'])"


@dataclass(frozen=True, slots=True)
class RowRule:
    """One rule about single lines."""

    rule_id: str
    severity: Literal["refuse", "warning"]
    predicate: str
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class StoreDayRule:
    """One rule about a whole store-day. Its computation lives in ``sql/quality/store_day_<rule_id>.sql``."""

    rule_id: str
    reason: str
    why: str


def _defect(name: str) -> str:
    return f"'{name}' = ANY (defects)"


ROW_RULES: tuple[RowRule, ...] = (
    RowRule("not_json", "refuse", _defect("not_json"), "the line is not a JSON object with `product` and `metadata`", "nothing in it can be trusted"),
    RowRule("line_too_long", "refuse", _defect("line_too_long"), "the line is longer than AISLEFLOW_LINE_BYTES_MAX", "memory is bounded; no real line comes near"),
    RowRule("foreign_store", "refuse", _defect("foreign_store"), "the line names another retailer or store than its file", "its price would be published in the wrong store"),
    RowRule("sku_missing", "refuse", f"sku IS NULL AND {_READABLE}", "no SKU (text or whole number)", "a price without an SKU belongs to nothing"),
    RowRule("sku_too_long", "refuse", "length(sku) > 64", "the SKU is longer than 64 characters", "real ones have at most 18: this is another field"),
    RowRule("name_missing", "refuse", f"name IS NULL AND {_READABLE}", "no name", "a shopper could not tell what it is"),
    RowRule("name_too_long", "refuse", "length(name) > 500", "the name is longer than 500 characters", "a description stands where the name should"),
    RowRule("text_too_long", "refuse", "length(brand) > 300 OR length(size) > 300 OR length(url) > 2000 OR length(image_url) > 2000 OR length(category) > 1000",
            "brand, size, address or category is far longer than any real one", "fields are shifted or the page is damaged"),
    RowRule("price_key_missing", "refuse", _defect("price_key_missing"), "the key `price_current` is missing", "missing is not unavailable: the reader lost the field"),
    RowRule("price_not_a_number", "refuse", _defect("price_not_a_number"), "`price_current` is neither a number nor null", "a price is never guessed from text"),
    RowRule("price_not_positive", "refuse", "price <= 0", "the price is zero or less", "no shelf says so: a template or a gift"),
    RowRule("price_too_high", "refuse", f"price > {PRICE_MAX_DOLLARS}", "the price is over $20,000.00", "cents were read as dollars, or it is no grocery"),
    RowRule("price_fraction", "refuse", "price <> round(price, 2)", "the price has more than two decimals", "a unit price or an average was read as the price"),
    RowRule("was_price_not_a_number", "refuse", _defect("was_price_not_a_number"), "`price_was` is neither a number nor null", "the reader lost the field's type"),
    RowRule("was_price_out_of_bounds", "refuse", f"was_price <= 0 OR was_price > {PRICE_MAX_DOLLARS} OR was_price <> round(was_price, 2)",
            "the was-price is not between $0.01 and $20,000.00 in whole cents", "the same misreadings as for the price"),
    RowRule("was_price_not_above", "refuse", "is_on_special AND was_price <= price", "on special, but the was-price is not above the price", "price and was-price were swapped, or it is no special"),
    RowRule("sku_contradicted", "refuse", "is_contradicted", "another line of this SKU in the same file says something else", "nobody can tell which line is right"),
    RowRule("donation", "refuse", r"name ~* '\mdonations?\M'", "a donation, not a product", "charity lines would count as the store's cheapest goods"),
    RowRule("time_unreadable", "refuse", _defect("time_unreadable"), "`scraped_at` or `scraped_date` is not a date or time", "the newest price cannot be told from an older one"),
    RowRule("time_in_future", "refuse", _defect("time_in_future"), "the line was observed in the future", "it would beat every true observation until then"),
    RowRule("barcode_dropped", "warning", "barcode_note IS NOT NULL", "the barcode was dropped (in-store code, wrong check digit or length)", "the offer is kept; identity comes another way"),
)  # fmt: skip

STORE_DAY_RULES: tuple[StoreDayRule, ...] = (
    StoreDayRule(
        "row_count",
        "a store-day that calls itself complete has far fewer rows than the store's last ones",
        "a partial crawl taken for a whole one delists everything it missed",
    ),
    StoreDayRule("quarantined_share", "too many of its lines are refused", "the page changed: what is left is not the store"),
    StoreDayRule(
        "category_lost",
        "a whole category of the store's last complete store-day is gone",
        "a category that failed silently would be delisted",
    ),
    StoreDayRule("price_scale", "many known prices moved by a factor of 100", "cents and dollars were confused"),
)

BY_ID: dict[str, RowRule | StoreDayRule] = {rule.rule_id: rule for rules in (ROW_RULES, STORE_DAY_RULES) for rule in rules}


def reason_of(rule_id: str) -> str:
    """Return the sentence for a person; an id of an older catalogue is returned as it is."""
    rule = BY_ID.get(rule_id)
    return rule.reason if rule else rule_id
