"""What the DAGs that ask a person have in common: the waiting task, and how its answer is read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowSkipException

from include.config import settings
from include.orchestration.resources import resources

if TYPE_CHECKING:
    from include.alerts.held_question import Question
    from include.warehouse.engine import Warehouse


class DecisionOperator(HITLOperator):
    """Requests an operator's decision on a batch of items. Text and fields are built when the task runs: XCom carries ids only.

    Skips when all of them are decided. The defaults apply when no answer comes within ``AISLEFLOW_DECISION_HOURS``.
    """

    template_fields = (*HITLOperator.template_fields, "title", "item_ids")

    def __init__(self, *, title: Any, item_ids: Any, **kwargs: Any) -> None:
        super().__init__(response_timeout=timedelta(hours=settings().decision_hours), **kwargs)
        self.title = title
        self.item_ids = item_ids

    def question(self, warehouse: Warehouse) -> tuple[Question, dict[str, Param]] | None:
        """Return the question about those of the items that are open, and the fields of its form; ``None`` if there are none."""
        raise NotImplementedError

    def execute(self, context: Any) -> Any:
        """Request the decision, unless all were made."""
        with resources() as (warehouse, _):
            found = self.question(warehouse)
        if found is None:
            raise AirflowSkipException(f"{self.subject}: all of this question are already decided")
        question, fields = found
        self.subject, self.body = question.subject, question.body
        # set here and not in the constructor: Airflow requires a valid value of a task's params before it starts, and there is none yet
        self.params = ParamsDict(fields)
        return super().execute(context)


def answered(answer: dict[str, Any]) -> tuple[str | None, str, dict[str, Any]]:
    """Return who answered (``None``: no answer in time), the reason given, and the fields of the form."""
    user, given = answer.get("responded_by_user"), answer.get("params_input") or {}
    return str(user.get("name") or user.get("id")) if user else None, str(given.get("why") or ""), given
