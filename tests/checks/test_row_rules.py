"""Every row rule: one line that breaks it and nothing else, and the nearest line that does not."""

from __future__ import annotations

from typing import Any

import pytest

from include.config import settings
from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.checks import suite
from include.ingestion.checks.marking import mark_refused
from include.model.rules import RETAILER_RULES, ROW_RULES, STORE_DAY_RULES, Rule, reason_of
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, gtin, offer
from tests.warehouse.looking import cents, one, rows

LONG_LINE = 100_000
#: The clock is at 09:00 UTC; ten minutes ahead are tolerated.
AHEAD, TOO_FAR_AHEAD = "2026-11-18T09:10:00+00:00", "2026-11-18T09:10:01+00:00"

#: Rule id → pairs of (a line that breaks only this rule, the nearest that breaks none).
PAIRS: dict[str, list[tuple[Line, Line]]] = {
    "not_json": [(b'{"product": {}', b'{"product": {"sku": 1, "name": "x", "price_current": 1}, "metadata": {"company": "aldi", "store_id": "G1"}}')]
    + [(text, offer()) for text in (b"[]", b"null", b'{"product": {}}', b'{"product": [], "metadata": {}}', b'{"product": {"sku": "\xff"}, "metadata": {}}', b"[" * 90_000)],
    "line_too_long": [(offer(description="x" * LONG_LINE), offer(description="x" * (LONG_LINE - 1000)))],
    "foreign_store": [
        (offer(metadata={"store_id": "G2"}), offer()),
        (offer(metadata={"company": "coles"}), offer()),
        (offer(metadata={"store_id": None}), offer()),
        (offer(metadata={"store_id": 1}), offer()),
    ],
    "sku_missing": [(offer(None), offer("0")), (offer(""), offer(0)), (offer(" "), offer(" 7 ")), (offer(1.5), offer(15)), (offer(True), offer("true")), (offer(["1"]), offer("1"))],
    "sku_too_long": [(offer("x" * 65), offer("x" * 64)), (offer("é" * 33), offer("é" * 21))],
    "sku_not_plain": [(offer("Full Cream Milk 2L"), offer("Full-Cream_Milk.2L")), (offer("12\x0034"), offer("1234")), (offer("12\u200934"), offer("12/34"))],
    "name_missing": [(offer(name=None), offer(name="x")), (offer(name="  "), offer(name=" x ")), (offer(name=["x"]), offer(name=5)), (offer(without=["name"]), offer())],
    "name_too_long": [
        (offer(name="x" * 501), offer(name="x" * 500)),
        (offer(name="\U00020000" * 126), offer(name="\U00020000" * 125)),  # four bytes a character
        (offer(name="\ufdfa" * 16), offer(name="\ufdfa" * 15)),  # folded to 33 bytes a character
    ],
    "text_too_long": [
        (offer(brand="x" * 301), offer(brand="x" * 300)),
        (offer(size="x" * 301), offer(size="x" * 300)),
        (offer(brand="\U00020000" * 76), offer(brand="\U00020000" * 75)),
        (offer(url="x" * 2001), offer(url="x" * 2000)),
        (offer(image_url="x" * 2001), offer(image_url="x" * 2000)),
        (offer(category_path=["x" * 1001]), offer(category_path=["x" * 1000])),
    ],
    "price_key_missing": [(offer(without=["price_current"]), offer(price=None))],
    "price_not_a_number": [(offer(price=text), offer(price=value)) for text, value in (("1.00", 1.0), ("", None), (True, 1), ([1], 1), ({}, 1))]
    + [(b'{"product": {"sku": "1", "name": "x", "price_current": 1e400}, "metadata": {"company": "aldi", "store_id": "G1"}}', offer(price=1e2))],
    "price_not_positive": [(offer(price=0), offer(price=0.01)), (offer(price=-0.01), offer(price=0.01)), (offer(price=0.0), offer(price=0.01))],
    "price_too_high": [(offer(price=20000.01), offer(price=20000)), (offer(price=1e6), offer(price=20000.0))],
    "price_fraction": [(offer(price=1.005), offer(price=1.01)), (offer(price=0.333), offer(price=0.330))],
    "was_price_not_a_number": [(offer(price_was="2"), offer(price_was=2)), (offer(price_was=False), offer(price_was=None))],
    "was_price_out_of_bounds": [(offer(price_was=0), offer(price_was=0.01)), (offer(price_was=20000.01), offer(price_was=20000)), (offer(price_was=2.345), offer(price_was=2.34)), (offer(price_was=-1), offer())],
    "was_price_not_above": [
        (offer(price_was=1.0, is_on_special=True), offer(price_was=1.01, is_on_special=True)),
        (offer(price_was=0.5, is_on_special=True), offer(price_was=0.5, is_on_special=False)),
        (offer(price_was=0.5, is_on_special=True), offer(price_was=None, is_on_special=True)),
    ],
    "donation": [(offer(name="Food bank donation $2"), offer(name="Donationware Tea")), (offer(name="DONATIONS"), offer(name="Predonation"))],
    "time_unreadable": [
        (offer(metadata={"scraped_at": "soon"}), offer(metadata={"scraped_at": "2026-11-18"})),
        (offer(metadata={"scraped_at": "2026-02-30"}), offer(metadata={"scraped_at": "2026-02-28"})),
        (offer(metadata={"scraped_at": 5}), offer()),
    ],
    "time_in_future": [(offer(metadata={"scraped_at": TOO_FAR_AHEAD}), offer(metadata={"scraped_at": AHEAD})), (offer(metadata={"scraped_at": "2026-11-18T20:10:01"}), offer(metadata={"scraped_at": "2026-11-18T20:10:00"}))],
    "time_too_old": [
        (offer(metadata={"scraped_at": "1970-01-01T00:00:00Z"}), offer(metadata={"scraped_at": "2015-01-01T00:00:00Z"})),
        (offer(metadata={"scraped_at": "0026-11-18"}), offer(metadata={"scraped_at": "2024-11-18"})),
    ],
    "text_damaged": [
        (offer(brand="NestlÃ©"), offer(brand="Nestlé")), (offer(name="Kelloggâ€™s"), offer(name="Kellogg’s")), (offer(name="Nestl\ufffd"), offer(name="NESTLÉ®")),
        (offer(name="VoilÃ\xa0 Tea"), offer(name="Voilà Tea")), (offer(brand="LindtÂ"), offer(brand="Ärla 5 °C")), (offer(name="ðŸ˜€ Chips"), offer(name="😀 Chips")),
        (offer(name="CrÃ¨me"), offer(name="PÂTÉ MAÇÃO")), (offer(name="NestlÃ\x83"), offer(name="São Château")),
    ],
    "price_basis_unknown": [(offer(price_basis="lb"), offer(price_basis="kg")), (offer(price_basis=["kg"]), offer(price_basis=None)), (offer(price_basis=1), offer(price_basis="L"))],
    "multi_buy_dropped": [
        (offer(multi_buy_quantity=2), offer(multi_buy_quantity=2, multi_buy_price=1.5)),
        (offer(multi_buy_price=1.5), offer(multi_buy_quantity=None, multi_buy_price=None)),
        (offer(multi_buy_quantity=1, multi_buy_price=1.5), offer()),
        (offer(multi_buy_quantity=2, multi_buy_price=1.555), offer(multi_buy_quantity=2, multi_buy_price=0.01)),
        (offer(multi_buy_quantity=2, multi_buy_price="1.50"), offer(multi_buy_quantity=2, multi_buy_price=20_000)),
        (offer(multi_buy_quantity=2, multi_buy_price=20_000.01), offer(multi_buy_quantity="2")),
    ],
    "barcode_dropped": [
        (offer(barcode="9300000000018"), offer(barcode=gtin(1))),
        (offer(barcode="2918940000005"), offer(barcode=None)),
        (offer(barcode="4011"), offer(barcode="96385074")),
        (offer(barcode="none"), offer(barcode="")),
        (offer(barcode=f"{gtin(1)},0200000000004"), offer(barcode=f"{gtin(1)},{gtin(2)}")),
        (offer(barcode="9" * 15), offer(barcode=int(gtin(1)))),
    ],
}  # fmt: skip
#: A rule about two lines has a separate test.
ABOUT_SEVERAL_LINES = {"sku_contradicted", "sku_text_differs", "price_far_from_known", "time_outside_crawl"}
ALL_RULES: list[Rule] = [*ROW_RULES, *STORE_DAY_RULES, *RETAILER_RULES]


def found(warehouse: Warehouse) -> list[list[str]]:
    text = "SELECT coalesce(reasons, '{}') || CASE WHEN barcode_note IS NULL THEN '{}'::text[] ELSE '{barcode_dropped}' END AS found FROM staging.offer ORDER BY line_number"
    return [row["found"] for row in rows(warehouse, text)]


@pytest.fixture
def one_check(make_warehouse: Any, storage: Storage, store_day: StoreDays) -> Any:
    """Check lines, each in a separate store-day (so that duplicates do not meet), and return the rules each breaks."""

    def run(lines: list[Line]) -> list[list[str]]:
        warehouse = make_warehouse(line_bytes_max=LONG_LINE)
        for number, line in enumerate(lines):
            store_id = f"G{number}"
            named = line.replace(b'"G1"', f'"{store_id}"'.encode()) if isinstance(line, bytes) else line
            store_day(store_id=store_id, lines=[named], run_key=f"r{number:04d}")
        pipeline.ingest(warehouse, storage, "aldi")  # several dates are several rounds
        positions = {rule.rule_id: position for position, rule in enumerate(ROW_RULES)}
        text = (
            "SELECT array(SELECT rule_id FROM ops.data_quality_result AS r WHERE r.file_id = f.file_id AND scope = 'row') AS found "
            "FROM ops.staged_file AS f ORDER BY run_key"
        )
        return [sorted(row["found"], key=positions.__getitem__) for row in rows(warehouse, text)]

    return run


def test_every_rule_has_its_pairs() -> None:
    assert {rule.rule_id for rule in ROW_RULES} == set(PAIRS) | ABOUT_SEVERAL_LINES
    assert len({rule.rule_id for rule in ALL_RULES}) == len(ALL_RULES)


@pytest.mark.parametrize("rule_id", PAIRS)
def test_a_rule_fires_alone_and_its_neighbour_is_silent(one_check: Any, rule_id: str) -> None:
    pairs = PAIRS[rule_id]
    assert one_check([line for pair in pairs for line in pair]) == [[rule_id], []] * len(pairs)


@pytest.mark.parametrize(
    ("time", "is_stray"),
    [("2026-11-17T16:29:59+11:00", True), ("2026-11-17T16:30:00+11:00", False), ("2026-11-18T17:00:00+11:00", True), ("2026-11-16", True), ("2026-11-17", False)],
)  # fmt: skip
def test_a_line_far_from_its_crawl_is_refused_and_moves_nothing(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, time: str, is_stray: bool
) -> None:
    store_day(at="2026-11-18T04:00:00+11:00", lines=[offer(str(number)) for number in range(9)])
    pipeline.ingest(warehouse, storage, "aldi")
    stray = offer("9", metadata={"scraped_at": time})
    store_day(at=WEDNESDAY, lines=[*(offer(str(number), 2.0) for number in range(9)), stray])
    pipeline.ingest(warehouse, storage, "aldi")
    refused = rows(warehouse, "SELECT sku, reasons FROM ops.quarantined_offer")
    assert refused == ([{"sku": "9", "reasons": ["time_outside_crawl"]}] if is_stray else [])
    assert {cents(warehouse)[str(number)] for number in range(9)} == {200}, "its other lines are newer than the known ones"
    assert (one(warehouse, "SELECT complete_at FROM core.store").isoformat() == "2026-11-17T17:30:00+00:00") == is_stray


@pytest.mark.parametrize(
    "other",
    [{"price": 1.01}, {"price": None}, {"price_was": 3}, {"is_on_special": True}, {"barcode": gtin(3)}, {"per_unit_price_string": "$1.00 per kg"}],
)  # fmt: skip
def test_conflicting_duplicates_are_all_refused(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, other: dict[str, Any]
) -> None:
    store_day(lines=[offer("1"), offer("2"), offer(**{"sku": "1"} | other), offer("1"), offer("2", url="x", category_path=["Else"])])
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    assert found(warehouse) == [["sku_contradicted"], [], ["sku_contradicted"], ["sku_contradicted"], []]


@pytest.mark.parametrize("other", [{"name": "Other"}, {"brand": "B"}, {"size": "1 g"}])
def test_duplicates_that_agree_on_the_price_are_folded_with_a_warning(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, other: dict[str, Any]
) -> None:
    store_day(lines=[offer("1"), offer("2"), offer(**{"sku": "1"} | other), offer("2")])
    report = pipeline.ingest(warehouse, storage, "aldi")
    assert report.checked.broken == {"sku_text_differs": 1} and cents(warehouse) == {"1": 100, "2": 100}
    assert one(warehouse, "SELECT name FROM core.sku WHERE sku = '1'") == "Thing 1", "the first line's text"


def test_a_line_keeps_all_its_reasons(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(lines=[offer(None, -1, name="x" * 501, metadata={"store_id": "G7"})])
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    assert found(warehouse) == [["foreign_store", "sku_missing", "name_too_long", "price_not_positive"]]


def test_lines_without_a_time_get_the_time_of_the_file(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=TOO_FAR_AHEAD, lines=[offer(metadata={"scraped_at": None})])
    store_day(
        store_id="G2", lines=[offer(metadata={"scraped_at": None}), offer("2", scraped_date="2026-11-17", metadata={"scraped_at": None})]
    )
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    text = "SELECT coalesce(reasons, '{}') AS reasons, o.observed_at::text FROM staging.offer AS o JOIN ops.staged_file AS f USING (file_id) ORDER BY f.store_id, line_number"
    assert [(row["reasons"], row["observed_at"]) for row in rows(warehouse, text)] == [
        (["time_in_future"], "2026-11-18 09:10:01+00"), ([], "2026-11-17 17:30:00+00"), ([], "2026-11-17 01:00:00+00"),
    ]  # fmt: skip


def damaged_batch() -> list[Line]:
    """Every line of every pair, twice: with different SKUs, and with the same SKU."""
    lines = [line for pairs in PAIRS.values() for pair in pairs for line in pair]
    numbered: list[Line] = []
    for number, line in enumerate(lines):
        if isinstance(line, bytes) or line["product"].get("sku") != "1":
            numbered.append(line)
        else:
            numbered.append({**line, "product": line["product"] | {"sku": f"n{number}"}})
    return numbered + lines[:40]


def test_suite_and_single_pass_agree_on_a_damaged_batch(
    true_suite: None, make_warehouse: Any, storage: Storage, store_day: StoreDays
) -> None:
    warehouse = make_warehouse(line_bytes_max=LONG_LINE, refuse_price_factor=4)
    store_day(at=TUESDAY, lines=[offer("far")])
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(lines=[*damaged_batch(), offer("far", 100), offer("twin", 1.0), offer("twin", 2.0)])
    store_day(store_id="G2", lines=damaged_batch()[:20], state="WA")
    file_ids = pipeline.load(warehouse, storage, "aldi")
    report = pipeline.check(warehouse, storage, "aldi")  # raises where they disagree
    assert set(report.broken) == {rule.rule_id for rule in ROW_RULES}, "every rule fires in this batch"
    assert report.broken == {rule: lines for rule, lines in suite.count_broken(warehouse.url, file_ids).items() if lines}
    kept = rows(
        warehouse, "SELECT rule_id, sum(failed)::integer AS failed FROM ops.data_quality_result WHERE scope = 'row' GROUP BY rule_id"
    )
    assert {row["rule_id"]: row["failed"] for row in kept} == report.broken
    assert pipeline.check(warehouse, storage, "aldi").files == 0, "what is checked is not checked again"


def test_disagreement_marks_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        suite, "count_broken", lambda url, file_ids, keep: {rule.rule_id: int(rule.rule_id == "donation") for rule in ROW_RULES}
    )
    store_day(lines=[offer("1", -1)])
    pipeline.load(warehouse, storage, "aldi")
    with pytest.raises(
        TerminalError,
        match=r"count differently for \{'price_not_positive': \(0, 1\), 'donation': \(1, 0\)\}.*include/model/rules.py; nothing was marked",
    ):
        pipeline.check(warehouse, storage, "aldi")
    assert found(warehouse) == [[]] and one(warehouse, "SELECT check_version IS NULL FROM ops.staged_file")


def test_marking_again_marks_the_same(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(lines=[offer("1", -1), offer("2")])
    file_ids = pipeline.load(warehouse, storage, "aldi")
    with warehouse.transaction() as connection:
        assert mark_refused(connection, file_ids) == mark_refused(connection, file_ids)
    assert found(warehouse) == [["price_not_positive"], []]


def test_reasons_are_sentences() -> None:
    assert all(len(rule.reason) > 5 and len(rule.rationale) > 10 for rule in ALL_RULES)
    assert reason_of("donation") == "a donation, not a product" and reason_of("of_an_older_catalogue") == "of_an_older_catalogue"
    assert settings().line_bytes_max == 1_000_000
