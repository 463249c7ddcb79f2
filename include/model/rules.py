"""The rule catalogue: every data rule is defined here and nowhere else.

A **row rule** is a predicate over ``staging.offer``, true where the line breaks it. From this list come the
Great Expectations suite (``suite.py``) and the single pass that marks lines for quarantine (``marking.py``);
a test asserts that both count the same. **Store-day rules** compare a whole file with the store's earlier
ones (``store_days.py``); **retailer rules** evaluate all store-days of a check together (``batch.py``). Their limits
are settings.

Severities: ``refuse`` sends the line to quarantine, ``critical`` holds the store-day (a retailer rule: every
store-day of the batch), ``warning`` is reported only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Stored in the ledger with every check. Raise it when a rule changes.
CATALOGUE_VERSION = "3"

PRICE_MAX_DOLLARS = 20_000
#: Real names have at most 150. Name, brand and size together make the product key, and an index holds at most 2,704 bytes of it.
NAME_BYTES_MAX = 500
#: No line can be older than the sites it comes from. Not an age: old store-days may be imported at any time.
OLDEST_LINE = "2015-01-01 00:00:00+00"
_READABLE = "(defects IS NULL OR NOT defects && ARRAY['not_json', 'line_too_long'])"


@dataclass(frozen=True, slots=True)
class RowRule:
    """One rule about single lines."""

    rule_id: str
    severity: Literal["refuse", "warning"]
    predicate: str
    reason: str
    rationale: str


@dataclass(frozen=True, slots=True)
class StoreDayRule:
    """One rule about a whole store-day. Its computation is a function of ``store_days.py``."""

    rule_id: str
    reason: str
    rationale: str
    severity: Literal["critical", "warning"] = "critical"


@dataclass(frozen=True, slots=True)
class RetailerRule:
    """One rule about all store-days of one retailer in one check. Its computation is a function of ``batch.py``."""

    rule_id: str
    reason: str
    rationale: str
    severity: Literal["critical"] = "critical"


def _defect(name: str) -> str:
    return f"'{name}' = ANY (defects)"


# UTF-8 read as Latin-1 or Windows-1252: include.wording.text.is_damaged as a regular expression of PostgreSQL, with two more
# forms: cleaning has turned a no-break space into a space.
_CONTINUATION = "\u0080-\u00bf" + "".join(bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0))
_DAMAGE = f"\ufffd|[ÂÃ]([{_CONTINUATION}]| |$)|[â-ï][{_CONTINUATION}]{{2}}|ð[{_CONTINUATION}]{{3}}"


def _damaged(column: str) -> str:
    # the regular expression is expensive: it runs only for text with non-ASCII characters
    return f"(octet_length({column}) > length({column}) AND {column} ~ '{_DAMAGE}')"


def _too_long(column: str, bytes_max: int) -> str:
    # An index holds bytes, and folded text: a few characters are decomposed to many. Decomposing is needed for non-ASCII text only.
    return f"octet_length({column}) > {bytes_max} OR (octet_length({column}) > length({column}) AND octet_length(normalize({column}, NFKD)) > {bytes_max})"


ROW_RULES: tuple[RowRule, ...] = (
    RowRule("not_json", "refuse", _defect("not_json"), "the line is not a JSON object with `product` and `metadata`", "nothing in it can be trusted"),
    RowRule("line_too_long", "refuse", _defect("line_too_long"), "the line is longer than AISLEFLOW_LINE_BYTES_MAX", "memory is limited; real lines are far shorter"),
    RowRule("foreign_store", "refuse", _defect("foreign_store"), "the line names another retailer or store than its file", "its price would be published in the wrong store"),
    RowRule("sku_missing", "refuse", f"sku IS NULL AND {_READABLE}", "no SKU (text or whole number)", "a price without an SKU belongs to no product"),
    RowRule("sku_too_long", "refuse", _too_long("sku", 64), "the SKU is longer than 64 bytes", "real ones have at most 18: the value is another field"),
    RowRule("sku_not_plain", "refuse", r"sku ~ '[[:space:][:cntrl:]]'", "the SKU contains white space or a control character", "real ones consist of letters, digits and signs: the value is another field, or damaged"),
    RowRule("name_missing", "refuse", f"name IS NULL AND {_READABLE}", "no name", "a shopper could not identify the product"),
    RowRule("name_too_long", "refuse", _too_long("name", NAME_BYTES_MAX), f"the name is longer than {NAME_BYTES_MAX} bytes", "the value is a description, not a name"),
    RowRule("text_too_long", "refuse", f"{_too_long('brand', 300)} OR {_too_long('size', 300)} OR octet_length(url) > 2000 OR octet_length(image_url) > 2000 OR octet_length(category) > 1000",
            "brand, size, URL or category is far longer than any real one", "fields are shifted or the page is damaged"),
    RowRule("price_key_missing", "refuse", _defect("price_key_missing"), "the key `price_current` is missing", "a missing key does not mean unavailable: the reader lost the field"),
    RowRule("price_not_a_number", "refuse", _defect("price_not_a_number"), "`price_current` is neither a number nor null", "a price is never guessed from text"),
    RowRule("price_not_positive", "refuse", "price <= 0", "the price is zero or less", "no shelf price is zero: a template or a gift"),
    RowRule("price_too_high", "refuse", f"price > {PRICE_MAX_DOLLARS}", f"the price is over ${PRICE_MAX_DOLLARS:,}.00", "cents were read as dollars, or it is not a grocery product"),
    RowRule("price_fraction", "refuse", "price <> round(price, 2)", "the price has more than two decimals", "a unit price or an average was read as the price"),
    RowRule("was_price_not_a_number", "refuse", _defect("was_price_not_a_number"), "`price_was` is neither a number nor null", "the reader lost the field's type"),
    RowRule("was_price_out_of_bounds", "refuse", f"was_price <= 0 OR was_price > {PRICE_MAX_DOLLARS} OR was_price <> round(was_price, 2)",
            f"the was-price is not between $0.01 and ${PRICE_MAX_DOLLARS:,}.00 in whole cents", "the same reading errors as for the price"),
    RowRule("was_price_not_above", "refuse", "is_on_special AND was_price <= price", "on special, but the was-price is not above the price", "price and was-price were swapped, or it is not a special"),
    RowRule("price_basis_unknown", "refuse", _defect("price_basis_unknown"), "`price_basis` is not each, kg, L or m", "it is unknown what one pays the price for, so it cannot be compared"),
    RowRule("sku_contradicted", "refuse", "is_contradicted", "another line of this SKU in the same file has another price or barcode", "it is unknown which line is right"),
    RowRule("price_far_from_known", "refuse", "known_cents IS NOT NULL", "the price is more than AISLEFLOW_REFUSE_PRICE_FACTOR times the known one, or less than that part of it",
            "cents and dollars were confused, a price per kilogram was read, or the SKU was given to another good: real changes stay within a factor of 2.2"),
    RowRule("donation", "refuse", r"position('donation' in lower(name)) > 0 AND name ~* '\mdonations?\M'", "a donation, not a product", "donations would count as the store's cheapest products"),
    RowRule("time_unreadable", "refuse", _defect("time_unreadable"), "`scraped_at` or `scraped_date` is not a date or time", "the newest price cannot be distinguished from an older one"),
    RowRule("time_in_future", "refuse", _defect("time_in_future"), "the line was observed in the future", "it would override every true observation until then"),
    RowRule("time_outside_crawl", "refuse", _defect("time_outside_crawl"), "the line was observed more than 12 hours before or after its crawl (a bare date: 36 hours)",
            "a store-day's instant is that of its earliest line: one wrong time would make the whole store-day older, and its prices outdated"),
    RowRule("time_too_old", "refuse", f"observed_at < '{OLDEST_LINE}'", "the line was observed before 2015", "the clock was at zero or the year was misread; age itself is not limited, because archives may be imported"),
    RowRule("text_damaged", "warning", f"{_damaged('name')} OR {_damaged('brand')}", "the name or brand was decoded wrongly (`Ã©`, `â€™`, U+FFFD)",
            "the text is kept unchanged: the intended character is not guessed; many such names hold the store-day"),
    RowRule("multi_buy_dropped", "warning",
            f"(multi_buy_quantity IS NULL) <> (multi_buy_price IS NULL) OR multi_buy_quantity < 2 OR multi_buy_price <= 0 OR multi_buy_price > {PRICE_MAX_DOLLARS} OR multi_buy_price <> round(multi_buy_price, 2)",
            "the multi-buy offer was dropped (no quantity of at least two, or no price in whole cents)", "the offer is kept; the price of one item is right"),
    RowRule("sku_text_differs", "warning", "differs_in_text", "another line of this SKU in the same file has the same price and another name, brand or size", "the price is certain; the first line's text is kept"),
    RowRule("barcode_dropped", "warning", "barcode_note IS NOT NULL", "the barcode was dropped (in-store code, coupon, variable measure, wrong check digit or length)", "the offer is kept; the product is identified in another way"),
)  # fmt: skip

STORE_DAY_RULES: tuple[StoreDayRule, ...] = (
    StoreDayRule("row_count", "a store-day marked complete has far fewer SKUs than the store's last ones",
                 "a partial crawl treated as complete delists everything it missed"),
    StoreDayRule("quarantined_share", "too many of its lines are refused", "the page changed: the remaining lines do not represent the store"),
    StoreDayRule("category_lost", "a category of the store's last complete store-day, or of the oldest of the last 28 days, is missing, or almost", "the products of a category that failed silently would be delisted"),
    StoreDayRule("field_fill", "brand, size, unit price or category is filled far less often than in its last complete store-days",
                 "the page renamed a field: products could no longer be distinguished"),
    StoreDayRule("barcode_fill", "barcodes are filled far less often than in its last complete store-days",
                 "no known barcode is lost (a missing one never replaces it), so the store-day is published; the reader should be checked", "warning"),
    StoreDayRule("unavailable_share", "far more of its offers have no price than usual", "the price field has probably moved"),
    StoreDayRule("encoding", "far more names or brands than usual are decoded wrongly", "damaged names turn known products into new ones"),
    StoreDayRule("price_scale", "many prices are too far from the known ones", "cents and dollars were confused, or prices moved to other goods: the other lines are suspect too"),
    StoreDayRule("store_changes", "far more of the store's prices changed than usual",
                 "inside a price week under 1 percent change in a night, across a Wednesday about a third: SKUs, stores or fields were confused"),
    StoreDayRule("changes_in_week", "far more of the store's prices changed since the price week's first night than usual", "a few wrong prices every night become many"),
    StoreDayRule("price_level", "the store became much dearer or cheaper in one night, or a new store is far from its retailer's others",
                 "changes up and down nearly cancel each other: a shift of the whole store is an error of the source"),
    StoreDayRule("price_drift", "the store or one of its categories became much dearer or cheaper within 28 days", "each night's shift is small; only their sum is seen"),
    StoreDayRule("renumbered", "many SKUs are new in the store and as many are gone", "the site gave its goods new numbers, or answered for another store: the goods would be delisted and created"),
    StoreDayRule("time_span", "its lines were observed too far apart to be one crawl of one store",
                 "a crawl takes hours: these are several, or their clocks are wrong"),
    StoreDayRule("outdated", "it is complete and of a newer night than the store's last published one, but its lines are older",
                 "none of its prices would be published: its clock or its night is wrong"),
)  # fmt: skip

RETAILER_RULES: tuple[RetailerRule, ...] = (
    RetailerRule("changes_within_week", "far more prices changed within one price week than usual",
                 "prices change on Wednesdays; on other days under 1 percent do, so SKUs, stores or fields were confused"),
    RetailerRule("changes_across_weeks", "far more prices changed across a Wednesday than usual",
                 "about a third change from one price week to the next, and not many more over several"),
    RetailerRule("line_share", "the store-days list only a fraction of the products these stores had",
                 "a large part of the retailer's products is missing, even if each store-day is marked incomplete"),
    RetailerRule("stores_held", "many store-days of the batch are held by store-day rules",
                 "the cause is the site or its reader, not a store: the store-days that passed are suspect too"),
)  # fmt: skip

Rule = RowRule | StoreDayRule | RetailerRule
BY_ID: dict[str, Rule] = {rule.rule_id: rule for rules in (ROW_RULES, STORE_DAY_RULES, RETAILER_RULES) for rule in rules}


def reason_of(rule_id: str) -> str:
    """Return the rule's description; an id of an older catalogue is returned unchanged."""
    rule = BY_ID.get(rule_id)
    return rule.reason if rule else rule_id
