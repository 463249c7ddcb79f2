"""The tasks of ``decide_held``: which questions are open, the question itself in the Airflow UI, what an answer does; and what starts it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, get_current_context
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowSkipException

from include.config import settings
from include.orchestration.assets import HELD, PRICES
from include.orchestration.partitions import retailers_of
from include.orchestration.resources import resources

log = logging.getLogger(__name__)

_CHOICES = {"Release": "release", "Discard": "discard", "Leave held": "leave"}


#: The field of the form beside the answer. Airflow's form insists on it; ``apply`` does too, for answers that come over REST.
WHY = Param(
    None,
    type="string",
    minLength=3,
    maxLength=1000,
    title="why",
    description="What you found out: why it is right after all, wrong, or has to wait. It is kept with your name.",
)


class HeldDecisionOperator(HITLOperator):
    """Asks a person about held store-days. The text is made when the task runs: XCom carries ids only.

    Skips when all of them were decided in the meantime.
    """

    template_fields = (*HITLOperator.template_fields, "title", "file_ids")

    def __init__(self, *, title: Any, file_ids: Any, **kwargs: Any) -> None:
        super().__init__(
            subject="held store-days",
            options=list(_CHOICES),
            defaults="Leave held",
            response_timeout=timedelta(hours=settings().decision_hours),
            **kwargs,
        )
        self.title = title
        self.file_ids = file_ids

    def execute(self, context: Any) -> Any:
        """Put the question, unless the ledger says that it is answered."""
        from include.alerts.held_question import held_question
        from include.ledger import held

        with resources() as (warehouse, storage):
            open_ids = held.still_held(warehouse, self.file_ids)
            if not open_ids:
                raise AirflowSkipException("decided in the meantime: nothing is left to ask")
            question = held_question(warehouse, storage, open_ids)
        self.subject, self.body = question.subject, question.body
        # set here and not with the task: Airflow wants a valid value of a task's params before it starts, and an answer has none yet
        self.params = ParamsDict({"why": WHY})
        return super().execute(context)


def announce_held(retailers: Sequence[str], outlet_events: Any) -> list[str]:
    """Emit ``held`` for every (retailer, night) with held store-days nobody was asked about yet; skips when there are none."""
    from include.ledger import held
    from include.orchestration.alerting import send_held_alerts

    with resources() as (warehouse, storage):
        send_held_alerts(warehouse, storage, retailers, get_current_context())
        keys = held.list_unclaimed(warehouse, retailers)
    if not keys:
        raise AirflowSkipException("nothing is held that nobody was asked about")
    outlet_events[HELD].add_partitions(keys)
    return keys


def list_held(dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Return the questions of this run: ``label`` and ``file_ids`` each; skips when there is none.

    A run with a partition key asks what nobody was asked yet; one started by hand asks again about everything held.
    """
    from include.ledger import held

    with resources() as (warehouse, _):
        questions = held.claim(warehouse, retailers_of(dag_run, params), dag_run.run_id, again=not dag_run.partition_key)
    if not questions:
        raise AirflowSkipException("nothing is held that nobody was asked about")
    return questions


def apply(file_ids: Sequence[int], answer: dict[str, Any]) -> dict[str, Any]:
    """Carry out an answer, in the name of who gave it. What was decided on the command line meanwhile stays as it is, and is said."""
    from include.ledger import held

    user = answer.get("responded_by_user")
    by = str(user.get("name") or user.get("id")) if user else None
    why = str((answer.get("params_input") or {}).get("why") or "")
    choice: Any = _CHOICES[answer["chosen_options"][0]]
    with resources() as (warehouse, storage):
        done = held.decide_question(warehouse, storage, file_ids, choice, by, why, "Airflow")
    for sentence in done.skipped:
        log.warning("%s; the answer changed nothing about it", sentence)
    log.info("%s by %s (%s): files %s", choice if by else "no answer in time, left held", by, why, done.applied)
    return {"choice": choice, "by": by, "applied": done.applied, "decided_before": done.skipped}


def publish(file_ids: Sequence[int], outlet_events: Any) -> dict[str, Any]:
    """Publish what was released and emit ``prices`` for each (retailer, night); skips when nothing of it is left to publish."""
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
