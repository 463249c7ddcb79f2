"""Links on tasks: to the question about held data, the Data Docs, a store's staged files.

Airflow shows them as buttons on a task's page. The first two depend on the task alone and are registered for all tasks by
``plugins/aisleflow_plugin.py``; the api-server computes them when the page is opened. The third depends on the task's
argument: the worker computes it when the task has ended.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import BaseOperatorLink
from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
from airflow.sdk.configuration import conf

#: Path prefix of the plugin's pages, below the UI's address.
PAGES = "/aisleflow"

#: (DAG id, task) pairs that hold store-days or report held ones, and those that check data.
_HOLDING = {("ingest_prices", "announce_held"), ("ingest_prices", "report"), ("sweep_outbox", "announce_held")}
_CHECKING = {("ingest_prices", "check"), ("ingest_prices", "report"), ("decide_held", "ask")}


def questions_address(dag_id: str) -> str:
    """Return the address of the waiting questions of a DAG."""
    return _address(f"/dags/{dag_id}/required_actions?response_received=false")


class HeldQuestionLink(BaseOperatorLink):
    """To the waiting questions about held store-days."""

    name = "Held data: the question"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address; empty for tasks that hold no data."""
        return questions_address("decide_held") if (ti_key.dag_id, ti_key.task_id) in _HOLDING else ""


class DataDocsLink(BaseOperatorLink):
    """To the pages of Great Expectations about the newest checks."""

    name = "Data Docs"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address; empty for tasks that check no data."""
        return _address(f"{PAGES}/data-docs/index.html") if (ti_key.dag_id, ti_key.task_id) in _CHECKING else ""


class StagedFilesLink(BaseOperatorLink):
    """To the staged files of the store that a task crawled."""

    name = "Staged files"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the page about the store in the task's argument ``item``."""
        store = operator.op_kwargs["item"]["store"]
        return _address(f"{PAGES}/stores/{quote(store['retailer'], safe='')}/{quote(store['store_id'], safe='')}")


class StoreOperator(DecoratedOperator, PythonOperator):
    """A Python task about one store, its argument ``item`` from the plan."""

    custom_operator_name = "@task"
    template_fields = ("templates_dict", "op_args", "op_kwargs")
    operator_extra_links = (StagedFilesLink(),)

    def __init__(self, *, python_callable: Any, op_args: Any, op_kwargs: Any, **more: Any) -> None:
        call = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        super().__init__(kwargs_to_upstream=call, **call, **more)


#: ``@task`` for a task about one store.
store_task = partial(task_decorator_factory, decorated_operator_class=StoreOperator)


def _address(path: str) -> str:
    return str(conf.get("api", "base_url", fallback="")).rstrip("/") + path
