"""Two evaluations of one catalogue: the suite and the single pass count the same on lines damaged at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.checks import suite
from include.model.rules import BY_ID, ROW_RULES, RowRule
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.wording.text import clean, is_damaged
from tests.checks.test_row_rules import PAIRS
from tests.ingestion.store_days import Line, StoreDays, gtin, offer
from tests.warehouse.looking import rows

_NUMBERS: tuple[Any, ...] = (None, 0, -1, 1, 1.5, 0.001, 20_000, 20_000.01, 1e11, -0.0, "1", "", True, [], {}, 2.345)
_TEXTS: tuple[Any, ...] = (
    None,
    "",
    " ",
    "x",
    "x" * 301,
    "x" * 501,
    "NestlÃ©",
    "Kelloggâ€™s",
    "\ufffd",
    "Donation",
    "a\x00b",
    "\u2003",
    "É®",
    5,
    ["x"],
    "x" * 2001,
)
_TIMES: tuple[Any, ...] = (
    None,
    "soon",
    "1970-01-01",
    "2026-11-18",
    "2026-11-19T00:00:00+00:00",
    "2099-01-01",
    5,
    "2014-12-31T23:59:59+00:00",
)
_BARCODES: tuple[Any, ...] = (None, gtin(1), "9300000000018", "4011", "0200000000004", "none", f"{gtin(1)},{gtin(2)}", 96385074, "1" * 15)


def damaged_lines(seed: int, count: int) -> list[Line]:
    """Return lines of which every field may be anything, a few of them no JSON, some SKUs doubled."""
    rng = random.Random(seed)
    pick = rng.choice
    lines: list[Line] = []
    for number in range(count):
        if rng.random() < 0.03:
            lines.append(pick((b"{", b"[]", b'{"product": 1}', b"\xff\xfe", b"null")))
            continue
        values: dict[str, Any] = {"sku": pick((str(number), str(number), number, str(number // 2), None, "a b", "x" * 65, 1.5))}
        for name, choices in (
            ("name", _TEXTS),
            ("brand", _TEXTS),
            ("size", _TEXTS),
            ("url", _TEXTS),
            ("barcode", _BARCODES),
            ("price_was", _NUMBERS),
        ):
            if rng.random() < 0.3:
                values[name] = pick(choices)
        if rng.random() < 0.3:
            values["price"] = pick(_NUMBERS)
        if rng.random() < 0.1:
            values |= {
                "price_basis": pick(("kg", "lb", None, 1)),
                "multi_buy_quantity": pick((1, 2, "2")),
                "multi_buy_price": pick((3, 0.001, None)),
            }
        if rng.random() < 0.4:
            values["is_on_special"] = pick((True, False, None, "yes"))
        metadata = {"scraped_at": pick(_TIMES)} if rng.random() < 0.2 else {"store_id": "G9"} if rng.random() < 0.05 else {}
        lines.append(offer(without=["price_current"] if rng.random() < 0.05 else [], metadata=metadata, **values))
    return lines


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_suite_and_single_pass_agree_on_lines_damaged_at_random(
    true_suite: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays, seed: int
) -> None:
    for store in range(3):
        store_day(store_id=f"G{store}", lines=damaged_lines(seed * 10 + store, 150))
    file_ids = pipeline.load(warehouse, storage, "aldi")
    counted = suite.count_broken(warehouse.url, file_ids)
    report = pipeline.check(warehouse, storage, "aldi")  # raises where they disagree
    assert report.broken == {rule: lines for rule, lines in counted.items() if lines}
    rare = {"line_too_long", "price_far_from_known", "sku_text_differs"}  # no long line, no earlier night, few doubles that agree
    assert len(set(report.broken) - rare) >= len(ROW_RULES) - len(rare) - 1, "nearly every rule fired"
    marked = rows(
        warehouse, "SELECT rule_id, count(*) AS lines FROM staging.offer CROSS JOIN LATERAL unnest(reasons) AS rule_id GROUP BY 1"
    )
    refusing = {rule.rule_id for rule in ROW_RULES if rule.severity == "refuse"}
    assert {row["rule_id"]: row["lines"] for row in marked} == {rule: lines for rule, lines in report.broken.items() if rule in refusing}


def test_the_suite_counts_all_rules_in_one_scan(true_suite: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(lines=[offer("1", -1), offer("2"), offer("3", name="NestlÃ©")])
    file_ids = pipeline.load(warehouse, storage, "aldi")
    kept: list[dict[str, Any]] = []
    suite.count_broken(warehouse.url, file_ids, kept.append)
    (result,) = kept
    assert result["success"] is False and result["statistics"]["evaluated_expectations"] == len(ROW_RULES)
    failed = {
        one["expectation_config"]["meta"]["rule"]: one["expectation_config"]["severity"] for one in result["results"] if not one["success"]
    }
    assert failed == {"price_not_positive": "critical", "text_damaged": "warning"}


def test_an_invalid_predicate_is_an_error_and_not_a_data_failure(
    true_suite: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_day(lines=[offer("1")])
    file_ids = pipeline.load(warehouse, storage, "aldi")
    monkeypatch.setattr(suite, "ROW_RULES", (RowRule("odd", "refuse", "1 / (line_number - line_number) > 0", "odd", "cannot be"),))
    with pytest.raises(
        TerminalError, match=r"Great Expectations could not evaluate rule odd.*Correct its predicate in include/model/rules.py"
    ):
        suite.count_broken(warehouse.url, file_ids)


def test_python_and_the_database_detect_the_same_damaged_text(make_warehouse: Callable[..., Warehouse]) -> None:
    rng = random.Random(7)
    letters = "aeéÉ®’â€™Ã©ÂÃÄ ï¿½ðŸ˜€\ufffd\x83ñ°ãÅ"
    texts = {cleaned for _ in range(20_000) if (cleaned := clean("".join(rng.choice(letters) for _ in range(rng.randint(1, 6)))))}
    texts |= {
        clean(str(broken["product"][name])) or "" for broken, _ in PAIRS["text_damaged"] for name in ("name",) if isinstance(broken, dict)
    }
    rule = BY_ID["text_damaged"]
    assert isinstance(rule, RowRule)
    found = {
        row["name"]: row["is_damaged"]
        for row in rows(
            make_warehouse(),
            f"SELECT name, ({rule.predicate}) AS is_damaged FROM unnest(%s::text[], %s::text[]) AS t (name, brand)",
            sorted(texts),
            [None] * len(texts),
        )
    }
    missed = [text for text in texts if is_damaged(text) and not found[text]]
    beyond = [text for text in texts if found[text] and not is_damaged(text) and not any(f"{letter} " in f"{text} " for letter in "ÂÃ")]
    assert (missed, beyond) == ([], []) and 1000 < sum(map(bool, found.values())) < len(texts)
