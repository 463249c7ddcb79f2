"""The approval that a scrape run requests at a bot wall."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator

from include import clock
from include.config import settings


class BotWallApprovalOperator(ApprovalOperator):
    """Requests an operator's approval to crawl refused stores again. A Reject skips the task ``retry_task_id`` and no other direct follower."""

    def __init__(self, *, retailer: str, retry_task_id: str, **more: Any) -> None:
        super().__init__(
            subject=f"{retailer}: the site refuses stores",
            defaults=ApprovalOperator.REJECT,
            response_timeout=timedelta(hours=settings().bot_wall_response_hours),
            execution_timeout=timedelta(minutes=10),
            **more,
        )
        self.retailer = retailer
        self.retry_task_id = retry_task_id

    def execute(self, context: Any) -> Any:
        """Tell a person, then wait."""
        from include.alerts.wall_question import wall_alert, wall_question
        from include.orchestration.alerting import raise_alert

        ti = context["ti"]
        labels = [item["label"] for item in ti.xcom_pull(task_ids="refused") or []]
        answer_by_at = clock.now() + timedelta(hours=settings().bot_wall_response_hours)
        question = wall_question(self.retailer, labels, answer_by_at)
        self.subject, self.body = question.subject, question.body
        raise_alert(wall_alert(self.retailer, labels, answer_by_at, _key(ti), self.generate_link_to_ui(task_instance=ti)))
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Push the response as XCom ``answer`` (a skipped task has no return value), and tell that the question is over."""
        from include.orchestration.alerting import end_alert

        answer = HITLOperator.execute_complete(self, context, event)
        user = answer["responded_by_user"]
        choice = ", ".join(answer["chosen_options"])
        end_alert(
            _key(context["ti"]),
            f"{dict(user).get('name') or dict(user).get('id')} answered {choice}"
            if user
            else "no answer came in time, the stores wait for another night",
        )
        context["ti"].xcom_push(
            key="answer", value={"chosen_options": answer["chosen_options"], "responded_by_user": dict(user) if user else None}
        )
        if answer["chosen_options"] != [self.APPROVE]:
            followers = context["task"].get_direct_relatives(upstream=False)
            self.skip(ti=context["ti"], tasks=[task for task in followers if task.task_id == self.retry_task_id])
        return answer


def _key(ti: Any) -> str:
    from include.alerts.troubles import question_key

    return question_key(ti.dag_id, ti.run_id)
