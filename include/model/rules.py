"""The rule catalogue: the only place where a rule about data stands.

A **row rule** is a predicate over ``staging.offer``, true where the line breaks it. From this list come the
Great Expectations suite (``suite.py``) and the single pass that marks lines for quarantine (``marking.py``);
a test asserts that both count the same. **Store-day rules** judge a whole file against the store's earlier
ones (``store_days.py``); **retailer rules** judge all store-days of a check together (``batch.py``). Their limits
are settings.

Severities: ``refuse`` sends the line to quarantine, ``critical`` holds the store-day (a retailer rule: every
store-day of the batch), ``warning`` tells a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Goes into the ledger with every check. Raise it when a rule changes.
CATALOGUE_VERSION = "2"

PRICE_MAX_DOLLARS = 20_000
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


# UTF-8 read as Latin-1 or Windows-1252: the twin of catalogue.text.is_damaged in the words of PostgreSQL, and two forms
# more: a no-break space was collapsed to a blank when the text was cleaned.
_CONTINUATION = "\u0080-\u00bf" + "".join(bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0))
_DAMAGE = f"\ufffd|[ÂÃ]([{_CONTINUATION}]| |$)|[â-ï][{_CONTINUATION}]{{2}}|ð[{_CONTINUATION}]{{3}}"


def _damaged(column: str) -> str:
    # the regular expression is dear: only a text with a character beyond ASCII is worth it
    return f"(octet_length({column}) > length({column}) AND {column} ~ '{_DAMAGE}')"


ROW_RULES: tuple[RowRule, ...] = (
    RowRule("not_json", "refuse", _defect("not_json"), "the line is not a JSON object with `product` and `metadata`", "nothing in it can be trusted"),
    RowRule("line_too_long", "refuse", _defect("line_too_long"), "the line is longer than AISLEFLOW_LINE_BYTES_MAX", "memory is bounded; no real line comes near"),
    RowRule("foreign_store", "refuse", _defect("foreign_store"), "the line names another retailer or store than its file", "its price would be published in the wrong store"),
    RowRule("sku_missing", "refuse", f"sku IS NULL AND {_READABLE}", "no SKU (text or whole number)", "a price without an SKU belongs to nothing"),
    RowRule("sku_too_long", "refuse", "length(sku) > 64", "the SKU is longer than 64 characters", "real ones have at most 18: this is another field"),
    RowRule("sku_not_plain", "refuse", r"sku ~ '[[:space:][:cntrl:]]'", "the SKU holds a blank or a control character", "real ones are letters, digits and signs: another field, or a damaged number"),
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
    RowRule("donation", "refuse", r"position('donation' in lower(name)) > 0 AND name ~* '\mdonations?\M'", "a donation, not a product", "charity lines would count as the store's cheapest goods"),
    RowRule("time_unreadable", "refuse", _defect("time_unreadable"), "`scraped_at` or `scraped_date` is not a date or time", "the newest price cannot be told from an older one"),
    RowRule("time_in_future", "refuse", _defect("time_in_future"), "the line was observed in the future", "it would beat every true observation until then"),
    RowRule("time_too_old", "refuse", f"observed_at < '{OLDEST_LINE}'", "the line was observed before 2015", "a clock at zero or a misread year; no limit of age, because archives may be imported"),
    RowRule("text_damaged", "warning", f"{_damaged('name')} OR {_damaged('brand')}", "the name or brand shows proof of a wrong decoding (`Ã©`, `â€™`, U+FFFD)",
            "the text is kept as it is: which accent was meant is not guessed; many of them hold the store-day"),
    RowRule("barcode_dropped", "warning", "barcode_note IS NOT NULL", "the barcode was dropped (in-store code, wrong check digit or length)", "the offer is kept; identity comes another way"),
)  # fmt: skip

STORE_DAY_RULES: tuple[StoreDayRule, ...] = (
    StoreDayRule("row_count", "a store-day that calls itself complete has far fewer rows than the store's last ones",
                 "a partial crawl taken for a whole one delists everything it missed"),
    StoreDayRule("quarantined_share", "too many of its lines are refused", "the page changed: what is left is not the store"),
    StoreDayRule("category_lost", "a whole category of the store's last complete store-day is gone, or all but gone", "a category that failed silently would be delisted"),
    StoreDayRule("field_fill", "brand, size, unit price or category is filled far less often than in its last complete store-days",
                 "the page renamed a field: products would lose what tells them apart"),
    StoreDayRule("barcode_fill", "barcodes are filled far less often than in its last complete store-days",
                 "nothing known is lost by it (no barcode never replaces one), so the store-day goes on; but somebody should look", "warning"),
    StoreDayRule("unavailable_share", "far more of its offers have no price than usual", "a day on which nothing has a price is not a day: the price moved to another field"),
    StoreDayRule("encoding", "names or brands are damaged by a wrong decoding, far more than usual", "damaged names make new products of known ones"),
    StoreDayRule("price_scale", "many known prices moved by a factor of 100", "cents and dollars were confused"),
    StoreDayRule("time_span", "its lines were observed too far apart to be one crawl of one store",
                 "one wrong time moves the whole store-day: its instant is its earliest line"),
)  # fmt: skip

RETAILER_RULES: tuple[RetailerRule, ...] = (
    RetailerRule("changes_within_week", "far more prices changed inside one price week than ever do",
                 "prices move on Wednesdays; on other days under 1 percent do, so names, stores or fields were mixed up"),
    RetailerRule("changes_across_weeks", "far more prices changed across a Wednesday than ever do",
                 "about a third change from one price week to the next, and hardly more over several"),
    RetailerRule("line_share", "the store-days carry only a fraction of the goods these stores had",
                 "a day that carries a tenth of a retailer's goods is not a day, also where each store-day admits to be incomplete"),
    RetailerRule("stores_held", "many store-days of the batch are held for reasons of their own",
                 "the site or its reader is at fault, not a store: what passed is suspect, too"),
)  # fmt: skip

Rule = RowRule | StoreDayRule | RetailerRule
BY_ID: dict[str, Rule] = {rule.rule_id: rule for rules in (ROW_RULES, STORE_DAY_RULES, RETAILER_RULES) for rule in rules}


def reason_of(rule_id: str) -> str:
    """Return the sentence for a person; an id of an older catalogue is returned as it is."""
    rule = BY_ID.get(rule_id)
    return rule.reason if rule else rule_id
