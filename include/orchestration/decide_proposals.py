"""The tasks of ``decide_proposals``: list waiting proposals, request decisions in the Airflow UI, apply them."""

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

from include.config import settings
from include.orchestration.resources import resources

log = logging.getLogger(__name__)

_RECORD, _LEAVE = "Record", "Leave open"
_FIELD = "proposal_"
_WHY = Param(
    None,
    type=["null", "string"],
    maxLength=1000,
    title="why",
    description="Your finding, required with any choice but leave. It is stored with your name.",
)


class ProposalDecisionOperator(HITLOperator):
    """Requests a choice for each of a batch of proposals. Text and fields are built when the task runs: XCom carries ids only.

    Skips when all of them are decided.
    """

    template_fields = (*HITLOperator.template_fields, "title", "proposal_ids")

    def __init__(self, *, title: Any, proposal_ids: Any, **kwargs: Any) -> None:
        super().__init__(
            subject="proposed products",
            options=[_RECORD, _LEAVE],
            defaults=_LEAVE,
            response_timeout=timedelta(hours=settings().decision_hours),
            **kwargs,
        )
        self.title = title
        self.proposal_ids = proposal_ids

    def execute(self, context: Any) -> Any:
        """Request the decisions about those that still wait."""
        from include.alerts.proposal_question import proposal_question
        from include.catalogue.proposals import ANSWERS, list_some

        with resources() as (warehouse, _):
            found = list_some(warehouse, self.proposal_ids)
        if not found:
            raise AirflowSkipException("all proposals of this question are already decided")
        question = proposal_question(found)
        self.subject, self.body = question.subject, question.body
        choices = ["leave", *ANSWERS]
        fields = {
            f"{_FIELD}{row['proposal_id']}": Param("leave", type="string", enum=choices, title=f"proposal {row['proposal_id']}")
            for row in found
        }
        self.params = ParamsDict(fields | {"why": _WHY})
        return super().execute(context)


def list_proposals(dag_run: Any) -> list[dict[str, Any]]:
    """Return the questions of this run: ``label`` and ``proposal_ids`` each; skips when there is none.

    A scheduled run asks about proposals that nobody was asked about; a manual run without a partition key about all that wait.
    """
    from include.catalogue.proposals import claim_questions

    with resources() as (warehouse, _):
        batches = claim_questions(warehouse, dag_run.run_id, again=not dag_run.partition_key)
    if not batches:
        raise AirflowSkipException("no proposal without a request for a decision")
    return [{"label": f"proposals {batch[0]} to {batch[-1]}", "proposal_ids": batch} for batch in batches]


def apply(proposal_ids: Sequence[int], answer: dict[str, Any]) -> dict[str, Any]:
    """Apply the choices in the name of their user. Proposals decided earlier are not changed; they are logged."""
    from include.catalogue.proposals import decide_proposals, read_answers

    user, given = answer.get("responded_by_user"), answer.get("params_input") or {}
    if answer["chosen_options"] != [_RECORD] or user is None:
        raise AirflowSkipException("left open; aisleflow catalogue proposals lists them")
    by, why = str(user.get("name") or user.get("id")), str(given.get("why") or "")
    with resources() as (warehouse, _):
        choices = read_answers({number: given.get(f"{_FIELD}{number}") for number in proposal_ids})
        if not choices:
            raise AirflowSkipException("all were left open; aisleflow catalogue proposals lists them")
        done = decide_proposals(warehouse, choices, by, why, "Airflow")
    for sentence in done.decided_before:
        log.warning("%s", sentence)
    log.info("decided by %s (%s): %s", by, why, {number: choices[number] for number in done.applied})
    return asdict(done)
