"""The tasks of ``decide_conflicts``: list open barcode conflicts, request decisions in the Airflow UI, apply them, tell the end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowSkipException

from include import clock
from include.config import settings
from include.orchestration.links import questions_address
from include.orchestration.resources import resources
from include.retailer_names import RETAILERS

log = logging.getLogger(__name__)

_RECORD, _LEAVE = "Record", "Leave open"
_FIELD = "conflict_"
_WHY = Param(
    None,
    type=["null", "string"],
    maxLength=1000,
    title="why",
    description="Your finding, required with any choice but leave. It is stored with your name.",
)


class ConflictDecisionOperator(HITLOperator):
    """Requests a choice for each of a batch of barcode conflicts. Text and fields are built when the task runs: XCom carries ids only.

    Skips when all of them are decided.
    """

    template_fields = (*HITLOperator.template_fields, "title", "conflict_ids")

    def __init__(self, *, title: Any, conflict_ids: Any, **kwargs: Any) -> None:
        super().__init__(
            subject="contested barcodes",
            options=[_RECORD, _LEAVE],
            defaults=_LEAVE,
            response_timeout=timedelta(hours=settings().decision_hours),
            **kwargs,
        )
        self.title = title
        self.conflict_ids = conflict_ids

    def execute(self, context: Any) -> Any:
        """Request the decisions about those that are still open."""
        from include.alerts.conflict_question import conflict_question
        from include.catalogue.conflicts import CHOICES, list_some

        with resources() as (warehouse, _):
            found = list_some(warehouse, self.conflict_ids)
        if not found:
            raise AirflowSkipException("all barcode conflicts of this question are already decided")
        question = conflict_question(found)
        self.subject, self.body = question.subject, question.body
        self.params = ParamsDict(
            {
                f"{_FIELD}{row['conflict_id']}": Param(
                    "leave", type="string", enum=["leave", *CHOICES], title=f"conflict {row['conflict_id']}"
                )
                for row in found
            }
            | {"why": _WHY}
        )
        return super().execute(context)


def list_conflicts(dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Return the questions of this run: ``label`` and ``conflict_ids`` each; skips when there is none.

    A scheduled run asks about conflicts that are new or open again; a manual run without a partition key about all open ones. One alert per run says so.
    """
    from include.alerts.conflict_question import conflict_alert
    from include.alerts.troubles import question_key
    from include.catalogue.conflicts import claim_questions, list_some
    from include.orchestration.alerting import raise_alert
    from include.orchestration.partitions import night_of_run

    night_of_run(dag_run, {})  # refuses misspelt params
    retailers = [params["retailer"]] if params.get("retailer") else list(RETAILERS)
    with resources() as (warehouse, _):
        batches = claim_questions(warehouse, retailers, dag_run.run_id, again=not dag_run.partition_key)
        rows = list_some(warehouse, [number for batch in batches for number in batch])
    if not rows:
        raise AirflowSkipException("no barcode conflict without a request for a decision")
    answer_by_at = clock.now() + timedelta(hours=settings().decision_hours)
    raise_alert(conflict_alert(rows, answer_by_at, question_key(dag_run.dag_id, dag_run.run_id), questions_address(dag_run.dag_id)))
    return [{"label": f"conflicts {batch[0]} to {batch[-1]}", "conflict_ids": batch} for batch in batches]


def apply(conflict_ids: Sequence[int], answer: dict[str, Any]) -> dict[str, Any]:
    """Apply the choices in the name of their user. Conflicts decided earlier are not changed; they are logged."""
    from include.catalogue.conflicts import decide_conflicts, read_choices

    user, given = answer.get("responded_by_user"), answer.get("params_input") or {}
    if answer["chosen_options"] != [_RECORD] or user is None:
        raise AirflowSkipException("left open; aisleflow barcodes conflicts lists them")
    by, why = str(user.get("name") or user.get("id")), str(given.get("why") or "")
    with resources() as (warehouse, _):
        choices = read_choices({number: given.get(f"{_FIELD}{number}") for number in conflict_ids})
        if not choices:
            raise AirflowSkipException("all were left open; aisleflow barcodes conflicts lists them")
        done = decide_conflicts(warehouse, choices, by, why, "Airflow")
    for sentence in done.decided_before:
        log.warning("%s; this decision did not change it", sentence)
    log.info("decided by %s (%s): %s", by, why, {number: choices[number] for number in done.applied})
    return asdict(done)


def close(dag_run: Any) -> int:
    """Tell that the questions of the run are over; return how many conflicts are left open."""
    from include.alerts.troubles import question_key
    from include.catalogue.conflicts import list_questions
    from include.orchestration.alerting import end_alert

    with resources() as (warehouse, _):
        left = len(list_questions(warehouse, dag_run.run_id))
    how = (
        f"the questions are answered or lapsed; {left} left open: aisleflow barcodes conflicts" if left else "none of the conflicts is open"
    )
    end_alert(question_key(dag_run.dag_id, dag_run.run_id), how)
    return left
