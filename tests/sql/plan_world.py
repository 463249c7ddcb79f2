"""A warehouse full of other retailers, and the history of one that begins later: what the plans of all statements are measured on."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any, LiteralString, cast
from unittest.mock import patch

import psycopg

from include import clock
from include.alerts import troubles
from include.alerts.alerts import Alert, held_alert
from include.alerts.held_question import held_question
from include.alerts.memory import SentAlerts
from include.catalogue import conflicts, merges, proposals
from include.catalogue.deciding import claim_questions
from include.catalogue.grouping import Choice
from include.catalogue.read_again import read_texts_again
from include.catalogue.resolve import FoundBarcode
from include.config import settings
from include.crawling import crawl_plan, discovery, outcomes
from include.crawling.canary import choose_store
from include.diagnostics import barcodes, ingest_summary, night
from include.enrichment.lookup_queue import Answer, LookupQueue
from include.enrichment.prefill import prefill_waiting
from include.errors import NeedsPersonError
from include.groups import changes, hand, maintenance
from include.ingestion import deciding, pipeline
from include.ingestion.checks import gate, results
from include.ingestion.release_lines import recheck_lines, release_lines
from include.ingestion.retract import retract
from include.ledger import files as ledger_files
from include.ledger import held, quarantine, rejections, settling
from include.ledger.decisions import discard_lines
from include.ledger.open_questions import raise_if_undecided
from include.model.rules import ROW_RULES
from include.model.store import StoreRecord
from include.readers import published
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Connection, Warehouse
from include.wording.product_key import RULE_VERSION
from tests.checks.counting import count_broken
from tests.conftest import RELAXED
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, gtin, offer, overlapping
from tests.sql.plan_catalogue import apply_many_matches, decide_by_hand
from tests.sql.plans import BELIEFS, Measured, measure, measuring, prepare, save_beliefs
from tests.sql.scenario_bargains import look_for_bargains
from tests.sql.scenario_export import look
from tests.sql.twice import files

THURSDAY, FRIDAY = (f"2026-11-{day}T04:30:00+11:00" for day in (19, 20))
NIGHT = date(2026, 11, 18)
#: After the last of them.
NOW = "2026-11-21T09:00:00+00:00"

#: Products, prices and store-days of other retailers: 5,000 SKUs in 4 stores, a month of ledger.
_OTHERS = """
INSERT INTO core.product (name, size, size_quantity, size_unit, created_at)
SELECT 'Other ' || g, '100 g', 100, 'g', '2026-10-01' FROM generate_series(1, {skus}) AS g;
INSERT INTO core.product_barcode SELECT '7' || lpad(product_id::text, 13, '0'), product_id, true, '2026-10-01' FROM core.product WHERE product_id % 3 > 0;
INSERT INTO core.sku (retailer, sku, product_id, name, size, category, texts_at, joined_by, joined_at)
SELECT 'aldi', product_id::text, product_id, name, size, 'Pantry', '2026-10-01', 'new', '2026-10-01' FROM core.product;
INSERT INTO core.sku_identity (sku_key, name, size, observed_at, rule_version, reading_hash, loose_key, size_quantity, size_unit)
SELECT sku_key, name, size, '2026-10-01', {rule_version}, '', 'other ' || sku_key, 100, 'g' FROM core.sku;
INSERT INTO core.sku_product_key SELECT sku_key, 'other ' || sku_key || '|' || n, n FROM core.sku CROSS JOIN generate_series(1, 3) AS n;
INSERT INTO core.store (retailer, store_id, name, state, is_confirmed, is_supermarket, is_trading, complete_at, first_seen_at)
SELECT 'aldi', 'G' || g, 'Aldi ' || g, 'VIC', true, true, true, '2026-11-16', '2026-10-01' FROM generate_series(1, 4) AS g;
INSERT INTO ops.quality_check (retailer, catalogue_version, files_hash, files, lines, nights, broken, held, checked_at)
SELECT 'aldi', '1', g::text, 10, 50000, ARRAY[date '2026-10-01' + g], '{{}}', 0, '2026-10-01'::timestamptz + g * interval '1 day' FROM generate_series(1, 30) AS g;
INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, observed_at, last_observed_at, rows, is_complete, manifest, statistics, registered_at, published_at)
SELECT 'aldi', store_id, date '2026-10-01' + d, 'run ' || d, md5(store_id || d), 'published', 'archive', at, at, 5000, true, '{{}}', '{{"filled": {{"name": 5000}}, "categories": {{"Pantry": 5000}}}}', at, at
  FROM core.store CROSS JOIN generate_series(1, {nights}) AS d CROSS JOIN LATERAL (SELECT '2026-10-01'::timestamptz + d * interval '1 day' AS at) AS instant;
INSERT INTO core.sku_barcode (sku_key, gtin, together, first_seen_at, source, file_id, learned_at)
SELECT sku_key, barcode.gtin, barcode.gtin, '2026-10-01', 'file', file_id, '2026-10-01' FROM core.sku JOIN core.product_barcode AS barcode USING (product_id) CROSS JOIN (SELECT min(file_id) AS file_id FROM ops.staged_file) AS file;
INSERT INTO core.price (store_key, sku_key, price_cents, price_basis, is_on_special, is_available, is_listed, uses_store_watermark, observed_at, changed_at, file_id, price_file_id)
SELECT store_key, sku_key, 100 + sku_key % 900, 'each', false, true, true, true, '2026-11-16', '2026-11-16', file_id, file_id
  FROM core.store CROSS JOIN core.sku CROSS JOIN (SELECT min(file_id) AS file_id FROM ops.staged_file) AS file;
INSERT INTO ops.data_quality_result (file_id, rule_id, scope, severity, is_passed, checked, failed, check_id, checked_at)
SELECT file_id, 'rule ' || g, CASE WHEN g < 3 THEN 'row' ELSE 'store_day' END, 'warning', g >= 3, 5000, 1, 1, '2026-10-01' FROM ops.staged_file CROSS JOIN generate_series(1, 8) AS g;
INSERT INTO ops.quarantined_offer (file_id, line_number, retailer, store_id, sku, reasons, quarantined_at)
SELECT file_id, g, 'aldi', store_id, g::text, '{{price_not_positive}}', '2026-10-01' FROM ops.staged_file CROSS JOIN generate_series(1, 4) AS g
"""

#: Store-days of many stores of a third retailer: each published once, and once more staged with two lines.
_MANY = """
INSERT INTO core.store (retailer, store_id, name, state, is_confirmed, is_supermarket, is_trading, complete_at, first_seen_at)
SELECT 'woolworths', g::text, 'W' || g, 'VIC', true, true, true, '2026-11-16', '2026-10-01' FROM generate_series(1, {stores}) AS g;
INSERT INTO core.product (name, created_at) VALUES ('Milk', '2026-10-01'), ('Bread', '2026-10-01');
INSERT INTO core.sku (retailer, sku, product_id, name, texts_at, joined_by, joined_at)
SELECT 'woolworths', row_number() OVER (ORDER BY product_id), product_id, name, '2026-10-01', 'new', '2026-10-01' FROM core.product WHERE name IN ('Milk', 'Bread');
INSERT INTO core.price (store_key, sku_key, price_cents, price_basis, is_on_special, is_available, is_listed, uses_store_watermark, observed_at, changed_at, file_id, price_file_id)
SELECT store_key, sku_key, 100, 'each', false, true, true, true, '2026-11-16', '2026-11-16', file_id, file_id
  FROM core.store JOIN core.sku USING (retailer) CROSS JOIN (SELECT min(file_id) AS file_id FROM ops.staged_file) AS file WHERE retailer = 'woolworths';
INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, observed_at, last_observed_at, rows, is_complete, manifest, statistics, registered_at, published_at)
SELECT 'woolworths', store_id, at::date, kind, md5(store_id || kind), kind, 'archive', at, at, 2, true, '{{}}', '{{"filled": {{"name": 2}}, "categories": {{"Pantry": 2}}}}', at, at
  FROM core.store CROSS JOIN (VALUES ('published', timestamptz '2026-11-16'), ('loaded', timestamptz '2026-11-18'), ('held', timestamptz '2026-11-18 01:00')) AS kinds (kind, at)
 WHERE retailer = 'woolworths';
INSERT INTO staging.offer (file_id, line_number, retailer, store_id, sku, name, price, observed_at)
SELECT file_id, line, retailer, store_id, line::text, 'Milk', 1.5, observed_at FROM ops.staged_file CROSS JOIN generate_series(1, 2) AS line WHERE retailer = 'woolworths' AND state = 'loaded';
INSERT INTO staging.loaded_file SELECT file_id FROM ops.staged_file WHERE retailer = 'woolworths' AND state = 'loaded';
INSERT INTO ops.crawl_outcome (retailer, store_id, night, run_key, state, is_complete, rows, pages, requests, manifest, detail, started_at, finished_at, recorded_at)
SELECT retailer, store_id, '2026-11-18', 'run ' || attempt, 'crawled', true, 2, 1, 1, 'x', '{{}}', '2026-11-18', timestamptz '2026-11-18' + attempt * interval '1 minute', timestamptz '2026-11-18' + attempt * interval '1 minute'
  FROM core.store CROSS JOIN generate_series(1, 2) AS attempt WHERE retailer = 'woolworths'
"""


#: Pairs of a SKU of the second retailer and one of the first, as a matcher would propose them.
_PROPOSALS = """
INSERT INTO ops.match_proposal (left_sku_key, right_sku_key, reason, score, evidence, proposed_at)
SELECT mine.sku_key, other.sku_key, 'score', 0.5, '{{}}', '2026-11-18'
  FROM (SELECT sku_key, row_number() OVER (ORDER BY sku_key) AS nth FROM core.sku WHERE retailer = 'aldi') AS mine
  JOIN (SELECT sku_key, row_number() OVER (ORDER BY sku_key) AS nth FROM core.sku WHERE retailer = 'iga') AS other USING (nth)
 WHERE nth <= {pairs}
    ON CONFLICT DO NOTHING
"""


def run_all(connection: psycopg.Connection[Any], text: str, **sizes: int) -> None:
    """Run statements parted by semicolons."""
    for part in text.format(**sizes).split(";\n"):
        connection.execute(cast(LiteralString, part))


def lines(n: int, day: int) -> list[Line]:
    """Return the lines of one store-day: n SKUs, a fifth of them twice, a tenth refused; from the second day on prices, names and barcodes move."""

    def line(number: int) -> Line:
        price = 1 + number % 50 + (day if number % 3 == 0 else 0)
        given = gtin(number + (50_000_000 if number % 20 == 1 and day else 0)) if number % 4 < 2 + day % 2 else None
        name = (
            f"Good {number // 2 if number % 7 == 0 else number}"
            + (" new" if day and number % 4 == 0 else "")
            + (" donation" if number % 10 == day else "")
        )
        return offer(f"S{number}", price, name=name, brand=f"Brand {number % 300}", size=f"{100 + number % 9} g", barcode=given)

    first = n // 10 * day
    numbers = range(first, first + n)
    return [*map(line, numbers), *map(line, numbers[: n // 5])]


def history(
    warehouse: Warehouse,
    storage: Storage,
    n: int,
    *,
    others: int = 1,
    beliefs: tuple[str, ...] = BELIEFS,
    until_first: bool = False,
    names: dict[str, str] | None = None,
) -> Measured:
    """Play the history of a retailer that begins later than others, with n lines a store-day, and measure every statement of it.

    Args:
        warehouse: empty, of this call alone.
        storage: empty.
        n: SKUs a store-day.
        others: how many times over there are other retailers.
        beliefs: to measure under.
        until_first: end with the retailer's first whole store-day.
        names: of statements that stand in no file, by their text.
    """
    stage = StoreDays(storage)
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        prepare(connection)
        run_all(connection, _OTHERS, skus=5_000 * others, nights=30 * others, rule_version=RULE_VERSION)
        save_beliefs(connection, "others")
    stage("iga", "2101", at="2026-11-16T04:30:00+11:00", lines=lines(30, 0))
    pipeline.ingest(warehouse, storage, "iga")
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        save_beliefs(connection, "first")
    with measuring(n, beliefs, names) as measured:
        stage("iga", "2101", at=TUESDAY, lines=lines(n, 0))
        pipeline.ingest(warehouse, storage, "iga")
        if until_first:
            return measured
        stage("iga", "2101", at=WEDNESDAY, lines=lines(n, 1))
        stage("iga", "2102", at=WEDNESDAY, lines=lines(n, 1), complete=None)
        pipeline.ingest(warehouse, storage, "iga")
        second = _newest(warehouse, "2101")
        _decide(warehouse, storage, second)
        retract(warehouse, storage, "iga", "2101", second, "ann", "a test store")
        for number, (at, some, complete) in enumerate(overlapping(n)):
            stage("iga", "2103", at=at, lines=some, complete=complete)
            pipeline.ingest(warehouse, storage, "iga")
            second = _newest(warehouse, "2103") if number == 1 else second
        retract(warehouse, storage, "iga", "2103", second, "ann", "a test store")
        stage("iga", "2101", at=THURSDAY, lines=[offer(f"S{number}", 5) for number in range(n)], stage=Stage.BARCODE_INBOX)
        prefill_waiting(warehouse, storage, "iga")
        _decide_conflicts(warehouse)
        _merge(warehouse, n)
        _look_up(warehouse)
        _read_again(warehouse)
        _hold(warehouse, storage, n)
        _many_stores(warehouse, storage, n)
        _groups(warehouse, storage)
        look(warehouse)
        look_for_bargains(warehouse, storage)
        _export(warehouse, measured, beliefs)
    return measured


def _newest(warehouse: Warehouse, store_id: str) -> int:
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT max(file_id) AS file_id FROM ops.staged_file WHERE store_id = %s", (store_id,)).fetchone()
    assert row is not None
    return int(row["file_id"])


def _decide_conflicts(warehouse: Warehouse) -> None:
    """Decide about all conflicts: there is one for a twentieth of the SKUs."""
    claim_questions(warehouse, "conflicts", ["iga"], "run-1")
    found = [row["conflict_id"] for row in conflicts.list_conflicts(warehouse)]
    assert found
    conflicts.count_conflicts(warehouse)
    conflicts.show_conflict(warehouse, found[0])
    choices: list[Choice] = ["accept", "reject", "split"]
    conflicts.decide_conflicts(warehouse, {number: choices[number % 3] for number in found}, "ann", "looked at both", "command line")
    conflicts.undo_decisions(warehouse, found, "ann", "too early")


def _merge(warehouse: Warehouse, n: int) -> None:
    """Propose a quarter of the SKUs, decide about all of them, and undo it all."""
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        run_all(connection, _PROPOSALS, pairs=n // 4)
    claim_questions(warehouse, "proposals", ["iga", "aldi"], "run-1")
    found = [int(row["proposal_id"]) for row in proposals.list_proposals(warehouse)]
    assert len(found) >= n // 4
    proposals.count_proposals(warehouse)
    proposals.show_proposal(warehouse, found[0])
    choices: list[proposals.Choice] = ["join", "apart"]
    decided = proposals.decide_proposals(warehouse, {number: choices[number % 2] for number in found}, "ann", "looked", "command line")
    decide_by_hand(warehouse)
    merges.undo(warehouse, list(decided.applied.values()), "ann", "too early")
    apply_many_matches(warehouse, n)


def _decide(warehouse: Warehouse, storage: Storage, file_id: int) -> None:
    quarantine.list_refused_lines(warehouse)
    quarantine.undecided_files(warehouse, "iga", None)
    recheck_lines(
        warehouse, storage, file_id, lambda connection, marked: gate.mark_lines(connection, marked, warehouse.settings), "0", "ann"
    )
    release_lines(warehouse, storage, file_id, "ann", "a mistake", rule_id="donation")
    other = _newest(warehouse, "2102")
    discard_lines(warehouse, other, "ann", "wrong", rule_id="donation")
    with warehouse.transaction() as connection:
        connection.run("ledger/prune_decided", {"decided_before": clock.now() + timedelta(days=1)})


def _hold(warehouse: Warehouse, storage: Storage, n: int) -> None:
    warehouse.settings = warehouse.settings.model_copy(update={"hold_scale_share": 0.1})
    StoreDays(storage)("iga", "2102", at=FRIDAY, lines=[offer(f"S{number}", 100 * (1 + number % 50)) for number in range(n)])
    pipeline.ingest(warehouse, storage, "iga")
    file_id = _newest(warehouse, "2102")
    with warehouse.transaction() as connection, connection.transaction():
        _isolate(connection, file_id, n)
        raise psycopg.Rollback
    held.claim(warehouse, ["iga"], "run")
    held_question(warehouse, [file_id])
    held_alert(warehouse, [file_id], storage)
    quarantine.batch_of(warehouse, file_id)
    held.decide_question(warehouse, storage, [file_id], "release", "ann", "it is right", "Airflow")
    deciding.publish_released(warehouse, storage, "iga")


def _look_up(warehouse: Warehouse) -> None:
    """Ask for one batch of SKUs, and learn half of the answers. A batch is what a source answers at once, whatever the range of its retailer."""
    queue = LookupQueue(warehouse, "iga", NIGHT)
    queue.rank()
    batch = queue.claim("worker#1", 1_000)
    assert batch is not None and len(batch.texts) > 500
    queue.release("another")
    answers = [
        Answer(sku, "found", "a source", found=FoundBarcode(sku, ("0" + gtin(70_000_000 + number),), text, clock.now(), "a source"))
        if number % 2
        else Answer(sku, "none", "a source")
        for number, (sku, text) in enumerate(batch.texts.items())
    ]
    queue.record(batch, "2101", clock.now(), answers)
    assert queue.night().learned > 200


def _read_again(warehouse: Warehouse) -> None:
    """Read all texts again that other rules have read, half of them otherwise."""
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.sku_identity SET rule_version = 0")
        connection.execute("UPDATE core.sku_identity SET reading_hash = '' WHERE sku_key % 2 = 0")
        read_texts_again(connection)


def _isolate(connection: Connection, file_id: int, n: int) -> None:
    row = connection.execute(
        "SELECT store_key FROM core.store JOIN ops.staged_file USING (retailer, store_id) WHERE file_id = %s", (file_id,)
    ).fetchone()
    assert row is not None
    values = {
        "store_key": row["store_key"],
        "file_id": file_id,
        "observed_at": clock.now(),
        "now": clock.now(),
        "is_complete": True,
        "reason": "more",
    }
    connection.run("quality/find_renumbered", {"retailer": "iga", "file_ids": [file_id]})
    connection.run("ledger/set_completeness", values)
    connection.run("ledger/publish_outdated", values)
    for name in ("keep_seen", "delist_unseen", "relist"):
        connection.run(f"completeness/{name}", values)
    connection.run("retraction/set_watermark", values)
    connection.run("isolation/list_lines", {"file_id": file_id})
    connection.run("isolation/keep_lines", {"file_id": file_id})
    connection.run("publishing/count_outdated", {"file_id": file_id})
    connection.run("isolation/deactivate_lines", {"file_id": file_id, "is_check": False})
    connection.run("isolation/activate_lines", {"file_id": file_id, "lines": list(range(n // 2))})


def _many_stores(warehouse: Warehouse, storage: Storage, n: int) -> None:
    found = [
        StoreRecord(retailer="coles", store_id=f"COL:{number}", online_store_id=None, name="Coles", state="VIC") for number in range(n)
    ]
    discovery.merge_found_stores(warehouse, "coles", found)
    discovery.merge_found_stores(warehouse, "coles", found[n // 100 :])
    discovery.list_stores(warehouse, "coles")
    crawl_plan.plan(warehouse, "coles", NIGHT)
    choose_store(warehouse, "coles")
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        run_all(connection, _MANY, stores=n // 4)
    crawl_plan.plan(warehouse, "woolworths", NIGHT)
    gate.check(warehouse, "woolworths")
    with warehouse.transaction() as connection:
        connection.execute("UPDATE ops.quality_check SET evaluation = '{}' WHERE retailer IN ('iga', 'woolworths')")
        rows = connection.execute("SELECT file_id FROM ops.staged_file WHERE retailer = 'woolworths'").fetchall()
        file_ids = [int(row["file_id"]) for row in rows]
        connection.run("ledger/hold_files", {"check_id": 1, "file_ids": file_ids, "reasons": ["a reason"] * len(file_ids)})
        connection.run("quality/list_evaluations")
    results.results(warehouse, NIGHT, is_all=True)
    night.summary(warehouse, NIGHT)
    barcodes.report_barcodes(warehouse)
    night.missing(warehouse, NIGHT)
    ingest_summary.summarise(warehouse, night=NIGHT)
    ingest_summary.summarise(warehouse, file_ids=file_ids)
    ingest_summary.list_files(warehouse, file_ids)
    held.claim(warehouse, ["woolworths"], "run")
    _alert(warehouse, storage, file_ids)
    _look_at_ledger(warehouse, file_ids)
    outcomes.staged(warehouse, "woolworths", "run 1")
    other = {"retailer": "woolworths", "store_id": "1", "night": NIGHT, "run_key": "run 2", "since": clock.now()}
    with warehouse.transaction() as connection:
        connection.run("crawl/find_other_crawl", other)
    published.last_complete(warehouse)


def _alert(warehouse: Warehouse, storage: Storage, file_ids: list[int]) -> None:
    """Raise an alert about many held store-days, and many others; send what is due."""
    memory = SentAlerts(storage)
    troubles.open_held_alerts(warehouse, ["woolworths"], lambda held_ids: held_alert(warehouse, held_ids, storage))
    for number in range(len(file_ids) // 8):
        troubles.open_alert(warehouse, Alert("failed", "warning", "it failed", "Mend it.", f"key {number}", retailer="iga", source="a.b"))
    found = tuple(row["conflict_id"] for row in conflicts.list_conflicts(warehouse))
    troubles.open_alert(warehouse, Alert("question", "warning", "decide?", "Answer.", "conflicts", item="conflict", item_ids=found))
    found = tuple(row["proposal_id"] for row in proposals.list_proposals(warehouse))
    troubles.open_alert(warehouse, Alert("question", "warning", "decide?", "Answer.", "proposals", item="proposal", item_ids=found))
    troubles.send_due(warehouse, memory, lambda alert: alert.kind == "held")
    troubles.list_told(warehouse)
    troubles.end_of_task(warehouse, "a.b", "iga", "it succeeded")
    troubles.end_keys(warehouse, ["key 1"], "it is over")
    troubles.end_decided(warehouse)
    memory.claim(Alert("failed", "critical", "away", "Start it.", troubles.WAREHOUSE), timedelta(hours=12))
    troubles.adopt(warehouse, memory)
    troubles.prune(warehouse)


def _groups(warehouse: Warehouse, storage: Storage) -> None:
    """Many stores of two products, which match one another, and groups with members."""
    warehouse.settings = warehouse.settings.model_copy(update={"group_common_min": 1, "current_hours": 24 * 7})
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE core.price SET observed_at = '2026-11-18' WHERE store_key IN (SELECT store_key FROM core.store WHERE retailer = 'woolworths')"
        )
        connection.execute(
            "UPDATE core.store SET complete_at = file.observed_at, complete_file_id = file.file_id FROM ops.staged_file AS file "
            "WHERE core.store.retailer = 'woolworths' AND (file.retailer, file.store_id, file.run_key) = (core.store.retailer, core.store.store_id, 'loaded')"
        )
    for _ in range(2):
        maintenance.check_health(warehouse, "woolworths")
        found = maintenance.compare(warehouse, storage, "woolworths")
        maintenance.merge(warehouse, "woolworths", found.matches)
    maintenance.list_unseen(warehouse, timedelta(0))
    hand.split_store(warehouse, "woolworths", "1", "ann", "a test")
    hand.pin_store(warehouse, "woolworths", "1", "ann", "a test")
    hand.list_groups(warehouse, None, 1)
    hand.list_history(warehouse, "woolworths", "1")
    hand.reset(warehouse, storage, "woolworths", "ann", "a test")
    changes.prune(warehouse)
    with warehouse.transaction() as connection:
        keys = [row["store_key"] for row in connection.execute("SELECT store_key FROM core.store WHERE retailer = 'woolworths'").fetchall()]
        file = connection.execute("SELECT max(file_id) AS file_id FROM ops.staged_file").fetchone()
        assert file is not None
        connection.run("groups/save_verifications", {"store_keys": keys, "file_ids": [file["file_id"]] * len(keys)})
        connection.run("groups/flag_members", {"store_keys": keys, "now": clock.now()})


def _look_at_ledger(warehouse: Warehouse, file_ids: list[int]) -> None:
    quarantine.list_undecided(warehouse)
    quarantine.show(warehouse, _newest(warehouse, "2101"))
    with suppress(NeedsPersonError):
        raise_if_undecided(warehouse, ["iga", "woolworths"], NIGHT.isoformat())
    held.list_unclaimed(warehouse, ["woolworths"])
    held.still_held(warehouse, file_ids)
    held.list_released_unpublished(warehouse, file_ids)
    ledger_files.list_store(warehouse, "iga", "2101")
    rejections.list_rejected(warehouse, ["iga", "woolworths"])
    with warehouse.transaction() as connection:
        connection.run("ledger/list_states", {"retailer": "woolworths"})
        connection.run("ledger/list_nights", {"file_ids": file_ids})
        connection.run("ledger/sum_published", {"file_ids": file_ids})
        parts = connection.execute(
            "SELECT file_id::text, retailer, store_id, run_key, left(content_hash, 16) FROM ops.staged_file"
        ).fetchall()
        columns = zip(*(row.values() for row in parts), strict=True)
        values = dict(zip(("paths", "retailers", "store_ids", "run_keys", "hashes"), map(list, columns), strict=True))
        connection.run("ledger/list_unregistered", values)
        taken_back = connection.execute("SELECT max(file_id) AS file_id FROM ops.staged_file WHERE state = 'discarded'").fetchone()
        assert taken_back is not None
        connection.run("ledger/bring_back", taken_back)
        for name in ("list_planned_retailers", "list_waiting_retailers"):
            connection.run(f"diagnostics/{name}", {"night": NIGHT})
        for name in ("find_newest_plan", "list_discovered_retailers"):
            connection.run(f"diagnostics/{name}")
        connection.run("quality/find_newest_night", {"retailer": None})
        connection.run("ledger/count_undecided", {"file_ids": file_ids})
        connection.run("quality/list_passed", {"file_ids": file_ids, "version": "1"})
        settling.keep_only(connection, "woolworths", file_ids[::2])


def _export(warehouse: Warehouse, measured: Measured, beliefs: tuple[str, ...]) -> None:
    """What is not sent through ``execute``: the export's query, and the suite's scan."""
    text = files()["export/copy_store_prices"]
    inner = text[text.index("COPY (") + 6 : text.rindex(") TO STDOUT")]
    with warehouse.transaction() as connection:
        measure(connection, measured, "export/copy_store_prices", inner, {"retailer": "iga", "since": None}, beliefs)
        connection.run("export/list_prices")
        for name in ("translation/copy_brands", "translation/copy_products"):
            inner = files()[name].partition("COPY (")[2].rpartition(") TO STDOUT")[0]
            measure(connection, measured, name, inner, {}, beliefs)
        counts = ", ".join(f"count(*) FILTER (WHERE {rule.predicate})" for rule in ROW_RULES).replace("%", "%%")
        rows = connection.execute(
            "SELECT file_id FROM ops.staged_file WHERE retailer = 'woolworths' AND state IN ('loaded', 'held')"
        ).fetchall()
        numbers = ", ".join(str(row["file_id"]) for row in rows)
        measure(
            connection,
            measured,
            "inline: the suite",
            f"SELECT {counts} FROM (SELECT * FROM staging.offer WHERE file_id IN ({numbers})) AS batch",
            {},
            beliefs,
        )


def play(url: str, n: int, **options: Any) -> Measured:
    """Play the history in an empty warehouse of its own."""
    warehouse = Warehouse(url, settings().model_copy(update=RELAXED | {"ingest_workers": 1}))
    try:
        with tempfile.TemporaryDirectory() as folder, patch("include.ingestion.checks.suite.count_broken", count_broken):
            return history(warehouse, Storage(f"file://{Path(folder) / 'storage'}"), n, **options)
    finally:
        warehouse.close()
