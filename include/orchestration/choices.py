"""Builds the DAGs that ask a person for a choice per item, ``decide_conflicts`` and ``decide_proposals``, and has their tasks.

list_questions → ask and apply (one pair of mapped tasks per batch) → close. What differs between the two is data: :class:`Topic`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Param, TriggerRule, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowSkipException

from include import clock
from include.config import settings
from include.orchestration.asking import DecisionOperator, answered
from include.orchestration.defaults import DEFAULT_ARGS, RETAILER_PARAM, Tag, summary_of
from include.orchestration.links import questions_address
from include.orchestration.resources import resources
from include.orchestration.timetable import nightly
from include.retailer_names import RETAILERS

if TYPE_CHECKING:
    from include.alerts.choice_question import Choices
    from include.alerts.held_question import Question
    from include.catalogue.deciding import Decided, Subject
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

_RECORD, _LEAVE = "Record", "Leave open"
_WHY = Param(
    None,
    type=["null", "string"],
    maxLength=1000,
    title="why",
    description="Your finding, required with any choice but leave. It is stored with your name.",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a DAG asks about: its texts, the decision by what a person answers, and how items are listed and decided."""

    subject: Subject
    texts: Choices
    choices: Mapping[str, Any]
    list_some: Callable[[Warehouse, Sequence[int]], list[dict[str, Any]]]
    decide: Callable[..., Decided]


def topic_of(dag_id: str) -> Topic:
    """Return what a DAG asks about; called by its tasks, because these imports are slow."""
    from include.alerts.conflict_question import CONFLICTS
    from include.alerts.proposal_question import PROPOSALS
    from include.catalogue import conflicts, proposals

    topics = (
        Topic("conflicts", CONFLICTS, conflicts.CHOICES, conflicts.list_some, conflicts.decide_conflicts),
        Topic("proposals", PROPOSALS, proposals.CHOICES, proposals.list_some, proposals.decide_proposals),
    )
    return next(topic for topic in topics if topic.texts.dag_id == dag_id)


def choice_dag(dag_id: str, page: str) -> DAG:
    """Return a DAG that asks for a choice per item every morning.

    Args:
        page: the DAG file's docstring.
    """
    with DAG(
        dag_id=dag_id,
        schedule=nightly(settings().timetable.watch_at),
        allowed_run_types=["scheduled", "manual"],  # type: ignore[list-item]
        catchup=False,
        max_active_runs=30,  # a run waits for days
        default_args=DEFAULT_ARGS,
        tags=[Tag.CATALOGUE],
        description=summary_of(page),
        doc_md=page,
        params={"retailer": RETAILER_PARAM},
    ) as dag:

        @task(task_id="list_questions")
        def list_task(dag_run: Any = None, params: Any = None) -> list[dict[str, Any]]:
            return list_questions(dag_run, params)

        @task(task_id="apply", map_index_template="{{ label }}")
        def apply_task(label: str, item_ids: list[int], answer: Any) -> dict[str, Any]:
            get_current_context()["label"] = label  # type: ignore[typeddict-unknown-key]
            return apply(dag_id, item_ids, answer)

        @task_group(group_id="decide", prefix_group_id=False)
        def decide(label: Any, item_ids: Any) -> None:
            ask = ChoiceOperator(task_id="ask", topic=dag_id, title=label, item_ids=item_ids, map_index_template="{{ task.title }}")
            apply_task(label, item_ids, ask.output)

        @task(task_id="close", trigger_rule=TriggerRule.NONE_FAILED)
        def close_task(dag_run: Any = None) -> int:
            return close(dag_run)

        decide.expand_kwargs(list_task()) >> close_task()
    return dag


class ChoiceOperator(DecisionOperator):
    """Requests a choice for each of a batch of items."""

    def __init__(self, *, topic: str, **kwargs: Any) -> None:
        super().__init__(subject=topic, options=[_RECORD, _LEAVE], defaults=_LEAVE, **kwargs)
        self.topic = topic

    def question(self, warehouse: Warehouse) -> tuple[Question, dict[str, Param]] | None:
        """Return a row and a field for each open item."""
        from include.alerts.choice_question import choice_question

        topic = topic_of(self.topic)
        rows = topic.list_some(warehouse, self.item_ids)
        if not rows:
            return None
        answers = ["leave", *topic.choices]
        fields = {
            _field(topic, number): Param("leave", type="string", enum=answers, title=f"{topic.texts.item} {number}")
            for number in map(topic.texts.number, rows)
        }
        return choice_question(topic.texts, rows), fields | {"why": _WHY}


def list_questions(dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Return the questions of this run: ``label`` and ``item_ids`` each; skips when there is none.

    A scheduled run asks about items that are new or open again; a manual run without a partition key about all open ones. One alert per run says so.
    """
    from include.alerts.choice_question import choice_alert
    from include.alerts.troubles import question_key
    from include.catalogue.deciding import claim_questions
    from include.orchestration.alerting import raise_alert
    from include.orchestration.partitions import night_of_run

    night_of_run(dag_run, {})  # refuses misspelt params
    topic = topic_of(dag_run.dag_id)
    retailers = [params["retailer"]] if params.get("retailer") else list(RETAILERS)
    with resources() as (warehouse, _):
        batches = claim_questions(warehouse, topic.subject, retailers, dag_run.run_id, again=not dag_run.partition_key)
        rows = topic.list_some(warehouse, [number for batch in batches for number in batch])
    if not rows:
        raise AirflowSkipException(f"no {topic.texts.item} without a request for a decision")
    answer_by_at = clock.now() + timedelta(hours=settings().decision_hours)
    key, link = question_key(dag_run.dag_id, dag_run.run_id), questions_address(dag_run.dag_id)
    raise_alert(choice_alert(topic.texts, rows, answer_by_at, key, link))
    return [{"label": f"{topic.subject} {batch[0]} to {batch[-1]}", "item_ids": batch} for batch in batches]


def apply(dag_id: str, item_ids: Sequence[int], answer: dict[str, Any]) -> dict[str, Any]:
    """Apply the choices in the name of their user. Items decided earlier are not changed; they are logged."""
    from include.catalogue.deciding import read_choices

    topic, (by, why, given) = topic_of(dag_id), answered(answer)
    if by is None or answer["chosen_options"] != [_RECORD]:
        raise AirflowSkipException(f"left open; {topic.texts.command} lists them")
    with resources() as (warehouse, _):
        choices = read_choices(topic.texts.item, topic.choices, {number: given.get(_field(topic, number)) for number in item_ids})
        if not choices:
            raise AirflowSkipException(f"all were left open; {topic.texts.command} lists them")
        done = topic.decide(warehouse, choices, by, why, "Airflow")
    for sentence in done.decided_before:
        log.warning("%s", sentence)
    log.info("decided by %s (%s): %s", by, why, {number: choices[number] for number in done.applied})
    return asdict(done)


def close(dag_run: Any) -> int:
    """Tell that the questions of the run are over; return how many items are left open."""
    from include.alerts.troubles import question_key
    from include.catalogue import deciding
    from include.orchestration.alerting import end_alert

    topic = topic_of(dag_run.dag_id)
    with resources() as (warehouse, _):
        left = len(deciding.list_questions(warehouse, topic.subject, dag_run.run_id))
    how = f"the questions are answered or lapsed; {left} left open: {topic.texts.command}" if left else "none of them is open any more"
    end_alert(question_key(dag_run.dag_id, dag_run.run_id), how)
    return left


def _field(topic: Topic, number: int) -> str:
    return f"{topic.texts.item}_{number}"
