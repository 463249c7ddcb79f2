"""The question a scrape run asks at a bot wall."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator

from include.config import settings

#: What the person reads. The session itself is never put in here: the answer and its fields are kept and shown.
_BODY = """
{{ ti.xcom_pull(task_ids='refused') | length }} store(s) of %(title)s were refused by the site (bot wall) and wait with their pages kept;
all others are staged and published. Nothing is evaded.

- **Approve**: ask for them again now. First open the site in a browser, solve what it asks, and put that session with
  `aisleflow session set %(retailer)s`; without one the site will likely refuse again.
- **Reject**: leave them for another night.

No answer before the time is up counts as *needs a person*: the run turns red, nothing is lost. Later: put a session, then clear the
skipped `crawl` tasks with downstream.
"""


class BotWallApprovalOperator(ApprovalOperator):
    """Asks a person whether refused stores are asked for again. A Reject skips the task named ``retry_task_id`` and no other direct follower."""

    def __init__(self, *, retailer: str, retry_task_id: str, **more: Any) -> None:
        super().__init__(
            subject=f"{retailer}: the site refuses {{{{ ti.xcom_pull(task_ids='refused') | length }}}} store(s). Continue?",
            body=_BODY % {"retailer": retailer, "title": retailer.title()},
            defaults=ApprovalOperator.REJECT,
            response_timeout=timedelta(hours=settings().bot_wall_response_hours),
            execution_timeout=timedelta(minutes=10),
            **more,
        )
        self.retry_task_id = retry_task_id

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Hand the answer on, as XCom ``answer``: skipping ends the task without a return value."""
        answer = HITLOperator.execute_complete(self, context, event)
        user = answer["responded_by_user"]
        context["ti"].xcom_push(
            key="answer", value={"chosen_options": answer["chosen_options"], "responded_by_user": dict(user) if user else None}
        )
        if answer["chosen_options"] != [self.APPROVE]:
            followers = context["task"].get_direct_relatives(upstream=False)
            self.skip(ti=context["ti"], tasks=[task for task in followers if task.task_id == self.retry_task_id])
        return answer
