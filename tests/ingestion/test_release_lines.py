"""Single refused lines: released, discarded, checked again. A newer price is never replaced, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from include import clock
from include.errors import TerminalError
from include.ingestion import deciding
from include.ingestion.release_lines import LineDecisionResult, release_lines
from include.ledger import quarantine
from include.ledger.decisions import discard_lines
from include.model.rules import CATALOGUE_VERSION
from include.staging import staged_file
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, offer, offers
from tests.warehouse.looking import cents, contents, one, prices, rows

LATER = "2026-11-18T14:30:00+11:00"
#: Refused (it is called a donation), and sound otherwise.
GIFT = offer("9", 4.5, name="Donation Tin")


def lines_of(warehouse: Warehouse, file_id: int = 1) -> dict[int, tuple[str, str | None, str | None]]:
    found = rows(warehouse, "SELECT line_number, state, outcome, decided_by FROM ops.quarantined_offer WHERE file_id = %s", file_id)
    return {row["line_number"]: (row["state"], row["outcome"], row["decided_by"]) for row in found}


def release(warehouse: Warehouse, storage: Storage, file_id: int = 1, *lines: int, rule: str | None = None) -> LineDecisionResult:
    return release_lines(warehouse, storage, file_id, "ann", "it is sold in a tin", lines=lines, rule_id=rule)


def test_a_released_line_is_published_and_recorded(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT])
    assert "9" not in cents(warehouse)

    decided = release(warehouse, storage, 1, 6)

    assert decided == LineDecisionResult(1, 1, {"published": 1}, {})
    assert cents(warehouse)["9"] == 450
    assert lines_of(warehouse) == {6: ("released", "published", "ann")}
    assert rows(warehouse, "SELECT choice, lines, decided_by, decision_reason, decided_via FROM ops.decision") == [
        {"choice": "release", "lines": 1, "decided_by": "ann", "decision_reason": "it is sold in a tin", "decided_via": "command line"}
    ]
    assert one(warehouse, "SELECT count(*) FROM staging.offer") == 0


def test_releasing_again_does_nothing(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT])
    release(warehouse, storage, 1, 6)
    before = contents(warehouse)
    assert release(warehouse, storage, 1, 6) == LineDecisionResult(1)
    assert release(warehouse, storage, 1, rule="donation") == LineDecisionResult(1)
    assert contents(warehouse) == before


def test_a_release_ends_as_if_the_line_had_never_been_refused(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [*offers(5), offer("9", 4.0)])
    publish(WEDNESDAY, [*offers(5), GIFT])
    assert not one(warehouse, "SELECT uses_store_watermark FROM core.price JOIN core.sku USING (sku_key) WHERE sku = '9'")

    release(warehouse, storage, 2, 6)

    row = prices(warehouse)["9"]
    assert (row["price_cents"], row["is_listed"], row["observed_at"].isoformat()) == (450, True, "2026-11-17T17:30:00+00:00")
    publish(LATER, [*offers(5), offer("9", 4.5)])
    assert prices(warehouse)["9"]["observed_at"].isoformat() == "2026-11-18T03:30:00+00:00", "the store's watermark refreshes it again"


@pytest.mark.parametrize(
    "later", [[*offers(5), offer("9", 5.0)], offers(5), [*offers(5), GIFT | {"product": GIFT["product"] | {"price_current": 5}}]]
)
def test_a_line_of_an_older_store_day_never_touches_a_price(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], later: list[Line]
) -> None:
    publish(TUESDAY, [*offers(5), offer("9", 4.0)])
    publish(WEDNESDAY, [*offers(5), GIFT])
    publish(LATER, later)
    before = prices(warehouse)

    assert release(warehouse, storage, 2, 6).outcomes == {"outdated": 1}

    without_texts = [{sku: row | {"name": None} for sku, row in found.items()} for found in (before, prices(warehouse))]
    assert without_texts[0] == without_texts[1]
    assert lines_of(warehouse, 2) == {6: ("released", "outdated", "ann")}


def test_a_newer_observation_of_an_incomplete_store_day_is_kept(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]
) -> None:
    publish(TUESDAY, [*offers(5), GIFT])
    publish(WEDNESDAY, [offer("9", 6.0)], complete=False)
    assert release(warehouse, storage, 1, 6).outcomes == {"outdated": 1}
    assert cents(warehouse)["9"] == 600


def test_a_released_line_without_a_price_marks_the_last_one_unavailable(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]
) -> None:
    publish(TUESDAY, [*offers(5), offer("9", 4.0)])
    publish(WEDNESDAY, [*offers(5), offer("9", None, name="Donation Tin")])
    assert release(warehouse, storage, 2, 6).outcomes == {"unavailable": 1}
    assert (prices(warehouse)["9"]["price_cents"], prices(warehouse)["9"]["is_available"]) == (400, False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{not json", "cannot be read"),
        (offer("9", 1, metadata={"store_id": "G2"}), "another retailer or store"),
        (offer(None, 1), "no SKU"),
        (offer("9", 1, name=None), "no name"),
        (offer("9", 1, without=["price_current"]), "`price_current` is missing"),
        (offer("9", "cheap"), "not a number"),
        (offer("9", -1), "not above zero"),
        (offer("9", 0), "not above zero"),
        (offer("9", 20_000.01), "does not fit"),
        (offer("9", 1.999), "whole cents"),
        (offer("9", 1, name="x" * 4000), "do not fit the catalogue"),
    ],
)
def test_unpublishable_lines_stay_with_a_reason(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], line: Line, why: str
) -> None:
    publish(WEDNESDAY, [*offers(5), line])
    before = contents(warehouse)
    decided = release(warehouse, storage, 1, 6)
    assert decided.decided == 0 and why in decided.refused[6]
    assert contents(warehouse) == before


@pytest.mark.parametrize(
    ("line", "was_cents"),
    [
        (offer("9", 4, price_was=3, is_on_special=True), None),
        (offer("9", 4, price_was="five"), None),
        (offer("9", 4, price_was=99_999), None),
        (offer("9", 4, price_was=5, scraped_date="soon", metadata={"scraped_at": None}), 500),
        (offer("9", 4, price_was=5, metadata={"scraped_at": "2027-01-01T00:00:00+11:00"}), 500),
    ],
)
def test_an_invalid_was_price_is_removed(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], line: Line, was_cents: int | None
) -> None:
    publish(WEDNESDAY, [*offers(5), line])
    assert release(warehouse, storage, 1, 6).outcomes == {"published": 1}
    row = prices(warehouse)["9"]
    assert (row["price_cents"], row["was_price_cents"]) == (400, was_cents)
    assert row["observed_at"].isoformat() == "2026-11-17T17:30:00+00:00", "no price of the future"


def test_one_of_several_conflicting_lines_can_be_released(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), offer("9", 4.0), offer("9", 5.0)])
    both = release(warehouse, storage, 1, rule="sku_contradicted")
    assert both.decided == 0 and "release the right one with --line" in both.refused[6]

    assert release(warehouse, storage, 1, 7).outcomes == {"published": 1}
    assert cents(warehouse)["9"] == 500
    assert "line 7 of the same SKU was released already" in release(warehouse, storage, 1, 6).refused[6]


def test_all_lines_of_a_rule(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT, offer("10", 2, name="Donation Bag"), offer("11", -2)])
    assert release(warehouse, storage, 1, rule="donation").outcomes == {"published": 2}
    discard_lines(warehouse, 1, "bob", "a template", rule_id="price_not_positive")
    assert {number: line[0] for number, line in lines_of(warehouse).items()} == {6: "released", 7: "released", 8: "discarded"}
    assert quarantine.list_refused_lines(warehouse) == []


def test_a_decision_about_a_line_is_final(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT])
    discard_lines(warehouse, 1, "bob", "no product", lines=[6])
    with pytest.raises(TerminalError, match=r"line 6 was discarded by bob \(no product\), and a decision about a line is final"):
        release(warehouse, storage, 1, 6)
    with pytest.raises(TerminalError, match="line 3 was not refused"):
        release(warehouse, storage, 1, 3)
    with pytest.raises(TerminalError, match="no line was refused by rule not_json"):
        release(warehouse, storage, 1, rule="not_json")
    with pytest.raises(TerminalError, match="a decision needs a reason"):
        discard_lines(warehouse, 1, "bob", " ", lines=[6])
    with pytest.raises(TerminalError, match="no file 77 in the ledger"):
        discard_lines(warehouse, 77, "bob", "no", lines=[6])


def test_a_kill_leaves_no_partial_result(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT])
    before = contents(warehouse)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("include.ingestion.release_lines.decide", killed)  # the last step
        with pytest.raises(KeyboardInterrupt):
            release(warehouse, storage, 1, 6)
    assert contents(warehouse) == before
    assert release(warehouse, storage, 1, 6).outcomes == {"published": 1}


def fix_rule(monkeypatch: pytest.MonkeyPatch, rule_id: str) -> None:
    """Take one rule out of the catalogue, as a correction of it would."""
    from include.model import rules

    left = tuple(rule for rule in rules.ROW_RULES if rule.rule_id != rule_id)
    for module in ("include.model.rules", "include.ingestion.checks.gate", "include.ingestion.checks.marking"):
        monkeypatch.setattr(f"{module}.ROW_RULES", left, raising=False)


def test_after_a_rule_fix_lines_that_pass_are_published(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT, offer("10", -2, name="Donation Bag")])
    unchanged = contents(warehouse)
    assert deciding.recheck(warehouse, storage, "ann")["lines"][0]["decided"] == 0
    assert contents(warehouse) == unchanged

    fix_rule(monkeypatch, "donation")
    found = deciding.recheck(warehouse, storage, "ann")

    assert found["lines"] == [{"file_id": 1, "decided": 1, "outcomes": {"published": 1}, "refused": {7: "price_not_positive"}}]
    assert cents(warehouse)["9"] == 450
    assert lines_of(warehouse) == {6: ("released", "published", "ann"), 7: ("quarantined", None, None)}
    assert (
        one(warehouse, "SELECT decision_reason FROM ops.quarantined_offer WHERE line_number = 6")
        == f"passes rule catalogue {CATALOGUE_VERSION}"
    )
    assert one(warehouse, "SELECT reasons FROM ops.quarantined_offer WHERE line_number = 7") == ["price_not_positive"]
    assert one(warehouse, "SELECT count(*) FROM staging.offer") == 0


def test_a_time_in_the_future_stays_one(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], fixed_clock: Callable[[str], None]
) -> None:
    publish(WEDNESDAY, [*offers(5), offer("9", 4, metadata={"scraped_at": "2026-11-19T00:00:00+11:00"})])
    fixed_clock("2026-11-20T09:00:00+00:00")
    assert deciding.recheck(warehouse, storage, "ann")["lines"][0]["refused"] == {6: "time_in_future"}


def test_conflicting_lines_stay_refused_until_one_is_discarded(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [*offers(5), offer("9", 4.0), offer("9", 5.0)])
    assert deciding.recheck(warehouse, storage, "ann")["lines"][0]["decided"] == 0
    discard_lines(warehouse, 1, "bob", "the old label", lines=[6])
    assert deciding.recheck(warehouse, storage, "ann")["lines"][0]["outcomes"] == {"published": 1}
    assert cents(warehouse)["9"] == 500


@pytest.mark.parametrize("line", [offer("9", 4, name="Donation", description="x" * 30_000), b'{"product": {"sku": "9", "name": "\xff"}}'])
def test_without_the_archive_a_cut_text_is_not_guessed_from(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, line: Line
) -> None:
    publish(WEDNESDAY, [GIFT, *offers(5), line])
    (path,) = storage.manifests(Stage.ARCHIVE)
    staged_file.remove(storage, staged_file.load_manifest(storage, path), Stage.ARCHIVE)
    fix_rule(monkeypatch, "donation")

    found = deciding.recheck(warehouse, storage, "ann")["lines"][0]

    assert found["outcomes"] == {"published": 1}, "the short line was kept whole"
    assert found["refused"] == {7: "its text was cut and its file is no longer in the archive"}


def test_held_store_days_are_checked_again(strict_warehouse: Warehouse, storage: Storage, store_day: Any) -> None:
    from include.ingestion import pipeline

    store_day(at=TUESDAY, lines=offers(40, price=2.5))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=offers(40, price=250))
    pipeline.ingest(strict_warehouse, storage, "aldi")

    found = deciding.recheck(strict_warehouse, storage, "ann")
    assert [file["state"] for file in found["held"]] == ["held"], "it still breaks the rule"

    strict_warehouse.settings = strict_warehouse.settings.model_copy(
        update={"hold_scale_share": 1.0, "hold_changed_across_weeks_share": 1.0}
    )
    found = deciding.recheck(strict_warehouse, storage, "ann")
    if found["held"][0]["state"] == "held":  # rules that came later
        assert "price_scale" not in found["held"][0]["state_reason"]
    else:
        assert found["held"][0]["state"] == "published" and set(cents(strict_warehouse).values()) == {250}, "its lines are refused"
    with pytest.raises(TerminalError, match="is not held and has no undecided refused lines"):
        deciding.recheck(strict_warehouse, storage, "ann", file_id=1)


def test_decided_lines_are_forgotten_after_a_while_undecided_ones_never(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], fixed_clock: Callable[[str], None]
) -> None:
    publish(WEDNESDAY, [*offers(5), GIFT, offer("10", -2)])
    discard_lines(warehouse, 1, "bob", "no", lines=[6])
    days = warehouse.settings.quarantine_days
    fixed_clock((clock.now() + timedelta(days=days, hours=-1)).isoformat())
    assert quarantine.prune_decided(warehouse) == 0
    fixed_clock((clock.now() + timedelta(hours=2)).isoformat())
    assert quarantine.prune_decided(warehouse) == 1
    assert list(lines_of(warehouse)) == [7]
