"""The tasks of ``decide_held``: list the open questions, request a decision in the Airflow UI, apply it; and the event that starts the DAG."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.asking import DecisionOperator, answered
from include.orchestration.assets import HELD, PRICES
from include.orchestration.links import questions_address
from include.orchestration.partitions import retailers_of
from include.orchestration.resources import resources

if TYPE_CHECKING:
    from include.alerts.held_question import Question
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

_CHOICES = {"Release": "release", "Discard": "discard", "Leave held": "leave"}
#: The reason field of the form. Airflow's form requires it; ``apply`` checks it too, for responses sent over REST.
WHY = Param(
    None,
    type="string",
    minLength=3,
    maxLength=1000,
    title="why",
    description="Your finding: why the data are correct, wrong, or have to wait. It is stored with your name.",
)


class HeldDecisionOperator(DecisionOperator):
    """Requests an operator's decision on held store-days, one for all of a question."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(subject="held store-days", options=list(_CHOICES), defaults="Leave held", **kwargs)

    def question(self, warehouse: Warehouse) -> tuple[Question, dict[str, Param]] | None:
        """Return the question about those that the ledger has as held."""
        from include.alerts.held_question import held_question
        from include.ledger import held

        open_ids = held.still_held(warehouse, self.item_ids)
        return (held_question(warehouse, open_ids), {"why": WHY}) if open_ids else None

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Return the answer; fail here, where it was given, when a decision made elsewhere came first."""
        from include.ledger import held

        answer = super().execute_complete(context, event)
        if answer["responded_by_user"] is not None:
            with resources() as (warehouse, _):
                held.raise_if_decided(warehouse, self.item_ids)
        return answer


def announce_held(retailers: Sequence[str], outlet_events: Any) -> list[str]:
    """Emit ``held`` for every (retailer, night) with held store-days without a request for a decision; skips when there are none."""
    from include.ledger import held
    from include.orchestration.alerting import send_held_alerts

    with resources() as (warehouse, storage):
        send_held_alerts(warehouse, storage, retailers, questions_address("decide_held"))
        keys = held.list_unclaimed(warehouse, retailers)
    if not keys:
        raise AirflowSkipException("no held store-day without a request for a decision")
    outlet_events[HELD].add_partitions(keys)
    return keys


def list_held(dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Return the questions of this run: ``label`` and ``file_ids`` each; skips when there is none.

    A run with a partition key raises new questions only; a manual run without one repeats the question about all held data.
    """
    from include.ledger import held

    with resources() as (warehouse, _):
        questions = held.claim(warehouse, retailers_of(dag_run, params), dag_run.run_id, again=not dag_run.partition_key)
    if not questions:
        raise AirflowSkipException("no held store-day without a request for a decision")
    return questions


def apply(file_ids: Sequence[int], answer: dict[str, Any]) -> dict[str, Any]:
    """Apply the response in the name of its user. Decisions already made on the command line are not changed; they are logged."""
    from include.ledger import held

    by, why, _ = answered(answer)
    choice: Any = _CHOICES[answer["chosen_options"][0]]
    with resources() as (warehouse, storage):
        done = held.decide_question(warehouse, storage, file_ids, choice, by, why, "Airflow")
    for sentence in done.skipped:
        log.warning("%s; this decision did not change it", sentence)
    log.info("%s by %s (%s): files %s", choice if by else "no decision in time, left held", by, why, done.applied)
    return {"choice": choice, "by": by, "applied": done.applied, "decided_before": done.skipped}


def publish(file_ids: Sequence[int], outlet_events: Any) -> dict[str, Any]:
    """Publish the released data and emit ``prices`` for each (retailer, night); skips when nothing is left to publish."""
    from include.ingestion import deciding
    from include.ledger import held

    with resources() as (warehouse, storage):
        keys = held.list_released_unpublished(warehouse, file_ids)
        counts = {
            retailer: asdict(deciding.publish_released(warehouse, storage, retailer)) for retailer in sorted({key[0] for key in keys})
        }
    if not any(count["store_days"] for count in counts.values()):
        raise AirflowSkipException("nothing was released, or another run has published it")
    outlet_events[PRICES].add_partitions([f"{retailer}|{night}" for retailer, night in keys])
    outlet_events[PRICES].extra = {"published": counts}
    return cast("dict[str, Any]", counts)
