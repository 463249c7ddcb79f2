"""Questions about held store-days: each is asked once, the first decision counts, and other store-days are published."""

from __future__ import annotations

import pytest

from include.alerts.held_question import held_question
from include.errors import NeedsPersonError
from include.ingestion import deciding, pipeline
from include.ledger import held, quarantine
from include.ledger.decisions import DecidedFiles, decide_files
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offers
from tests.warehouse.looking import cents, one, rows


@pytest.fixture
def two_held(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> list[int]:
    """File ids of two stores whose prices all changed by a factor of 100; a third store is valid."""
    strict_warehouse.settings = strict_warehouse.settings.model_copy(
        update={"hold_stores_held_share": 1.0, "hold_changed_across_weeks_share": 1.0}
    )
    for store_id in ("G1", "G2", "G3"):
        store_day(store_id=store_id, at=TUESDAY, lines=offers(40, price=2.5))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    for store_id, price in (("G1", 250), ("G2", 250), ("G3", 2.5)):
        store_day(store_id=store_id, at=WEDNESDAY, lines=offers(40, price=price))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    ids = [row["file_id"] for row in rows(strict_warehouse, "SELECT file_id FROM ops.staged_file WHERE state = 'held' ORDER BY file_id")]
    assert (
        len(ids) == 2 and one(strict_warehouse, "SELECT count(*) FROM ops.staged_file WHERE store_id = 'G3' AND state = 'published'") == 2
    ), "the valid store is published"
    return ids


def make_batch(warehouse: Warehouse, file_ids: list[int]) -> None:
    """Let the files look as if only a rule about the whole retailer held them."""
    with warehouse.transaction() as connection:
        connection.execute("DELETE FROM ops.data_quality_result WHERE file_id = ANY(%s)", (file_ids,))
        connection.execute(
            "INSERT INTO ops.data_quality_result (file_id, rule_id, scope, severity, is_passed, checked, failed, checked_at) "
            "SELECT file_id, 'changes_within_week', 'retailer', 'critical', false, 10, 9, checked_at FROM ops.staged_file WHERE file_id = ANY(%s)",
            (file_ids,),
        )


def test_every_held_store_day_is_asked_about_once(strict_warehouse: Warehouse, two_held: list[int]) -> None:
    assert held.list_unclaimed(strict_warehouse, ["aldi", "iga"]) == ["aldi|2026-11-18"]
    questions = held.claim(strict_warehouse, ["aldi"], "run-1")
    assert [(question["label"], question["file_ids"]) for question in questions] == [
        ("aldi G1, 2026-11-18", two_held[:1]),
        ("aldi G2, 2026-11-18", two_held[1:]),
    ]
    assert held.list_unclaimed(strict_warehouse, ["aldi"]) == [], "a second event finds nothing to ask"
    assert held.claim(strict_warehouse, ["aldi"], "run-2") == []
    assert held.claim(strict_warehouse, ["aldi"], "run-1") == questions, "the same run, cleared, asks the same"
    assert held.claim(strict_warehouse, ["aldi"], "by-hand", again=True) == questions


def test_a_batch_held_by_a_rule_about_the_retailer_is_one_question(strict_warehouse: Warehouse, two_held: list[int]) -> None:
    make_batch(strict_warehouse, two_held)
    (question,) = held.claim(strict_warehouse, ["aldi"], "run-1")
    assert question == {"label": "aldi batch of 2, 2026-11-18", "file_ids": two_held}
    assert quarantine.batch_of(strict_warehouse, two_held[0]) == two_held


def test_a_store_day_held_by_a_store_level_rule_is_not_part_of_the_batch(strict_warehouse: Warehouse, two_held: list[int]) -> None:
    make_batch(strict_warehouse, two_held[:1])
    assert [question["file_ids"] for question in held.claim(strict_warehouse, ["aldi"], "run-1")] == [two_held[:1], two_held[1:]]
    assert quarantine.batch_of(strict_warehouse, two_held[1]) == two_held[1:]


def test_a_release_records_the_user(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    assert held.decide_question(strict_warehouse, storage, two_held[:1], "release", "ann", " it is right ", "Airflow") == DecidedFiles(
        two_held[:1], ["aldi"], []
    )
    assert held.list_released_unpublished(strict_warehouse, two_held) == [("aldi", "2026-11-18")]
    assert deciding.publish_released(strict_warehouse, storage, "aldi").store_days == 1
    assert held.list_released_unpublished(strict_warehouse, two_held) == []
    assert set(cents(strict_warehouse, "G1").values()) == {25_000} and set(cents(strict_warehouse, "G2").values()) == {250}
    assert rows(strict_warehouse, "SELECT choice, decided_by, decision_reason, decided_via FROM ops.decision") == [
        {"choice": "release", "decided_by": "ann", "decision_reason": "it is right", "decided_via": "Airflow"}
    ]


def test_a_task_killed_after_the_decision_does_not_decide_twice(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    held.decide_question(strict_warehouse, storage, two_held, "release", "ann", "it is right", "Airflow")
    done = held.decide_question(strict_warehouse, storage, two_held, "release", "ann", "it is right", "Airflow")
    assert done.applied == [] and len(done.skipped) == 2 and "decided by ann: it is right" in done.skipped[0]
    assert held.list_released_unpublished(strict_warehouse, two_held) == [("aldi", "2026-11-18")], "and it is still to be published"
    assert one(strict_warehouse, "SELECT count(*) FROM ops.decision") == 2


def test_an_earlier_decision_on_the_command_line_is_kept(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    decide_files(strict_warehouse, storage, [two_held[0]], "discard", "bob", "test data", "command line")
    done = held.decide_question(strict_warehouse, storage, two_held, "release", "ann", "looks right", "Airflow")
    assert done.applied == two_held[1:]
    assert done.skipped == [f"file {two_held[0]} (aldi G1 of 2026-11-18) was decided earlier: it is discarded, decided by bob: test data"]
    assert held.still_held(strict_warehouse, two_held) == []


def test_a_discarded_batch_leaves_the_outbox(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    held.decide_question(strict_warehouse, storage, two_held, "discard", "ann", "cents for dollars", "Airflow")
    assert len(list(storage.manifests(Stage.REFUSED))) == 2 and list(storage.manifests(Stage.OUTBOX)) == []
    assert held.list_released_unpublished(strict_warehouse, two_held) == []


@pytest.mark.parametrize(("by", "why", "choice"), [("ann", "ask the shop first", "leave"), (None, "", "unanswered")])
def test_leave_and_timeout_are_recorded_and_it_stays_held(
    strict_warehouse: Warehouse, storage: Storage, two_held: list[int], by: str | None, why: str, choice: str
) -> None:
    held.claim(strict_warehouse, ["aldi"], "run-1")
    held.decide_question(strict_warehouse, storage, two_held, "leave", by, why, "Airflow")
    assert held.still_held(strict_warehouse, two_held) == two_held
    assert rows(strict_warehouse, "SELECT DISTINCT choice, decided_by FROM ops.decision") == [{"choice": choice, "decided_by": by}]
    assert held.list_unclaimed(strict_warehouse, ["aldi"]) == [], "the question is not repeated automatically"
    assert len(quarantine.list_undecided(strict_warehouse)) == 2


def test_a_decision_without_a_reason_is_rejected(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    with pytest.raises(NeedsPersonError, match=r"has no reason, so nothing was decided\. Clear the task `ask`"):
        held.decide_question(strict_warehouse, storage, two_held, "release", "ann", "  ", "Airflow")
    assert held.still_held(strict_warehouse, two_held) == two_held


def test_the_question_has_all_facts_for_the_decision(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    question = held_question(strict_warehouse, two_held[:1])
    assert question.subject == "Publish aldi G1 (aldi G1) of 2026-11-18? Held by price_scale (40 lines)"
    for part in (
        "Nothing of its 40 lines is published yet", "40 of 40 known prices", f"| {two_held[0]}, line 1 | 1 | Thing 1 |", "| 250.00 | 2.50 | × 100 |", "1 store-days published (40 lines), 2 held", "**Release**", "**Discard**", "**Leave held**", "within 72 hours the data stay held",
    ):  # fmt: skip
        assert part in question.body, f"{part!r} is missing from\n{question.body}"
    assert question.body.count("\n| 4, line") == 3 and "{" not in question.body, "a table, no raw lines"


def test_a_late_answer_names_the_decision_that_came_first(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    held.raise_if_decided(strict_warehouse, two_held)
    held.decide_question(strict_warehouse, storage, two_held[:1], "discard", "ann", "cents for dollars", "command line")
    held.raise_if_decided(strict_warehouse, two_held)
    with pytest.raises(NeedsPersonError, match=r"came too late and changed nothing: .*ann.*cents for dollars.*aisleflow quarantine show"):
        held.raise_if_decided(strict_warehouse, two_held[:1])


def test_the_question_about_a_batch_names_its_stores(strict_warehouse: Warehouse, storage: Storage, two_held: list[int]) -> None:
    make_batch(strict_warehouse, two_held)
    question = held_question(strict_warehouse, two_held)
    assert question.subject == "Publish 2 store-days of aldi of 2026-11-18? Held together by changes_within_week"
    assert "G1 (file" in question.body and "G2 (file" in question.body
