"""Aisleflow's plugin: buttons on tasks that lead to what they are about, and the pages some of them lead to.

Every component of Airflow loads this module, so it imports little; the pages come with the first request for one.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from include.orchestration.links import PAGES, DataDocsLink, HeldQuestionLink


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request for a page (ASGI)."""
    await import_module("aisleflow_pages").app(scope, receive, send)


class Aisleflow(AirflowPlugin):
    """What Airflow itself must load."""

    name = "aisleflow"
    global_operator_extra_links = [HeldQuestionLink(), DataDocsLink()]  # noqa: RUF012 - Airflow declares plain lists
    fastapi_apps = [{"app": pages, "url_prefix": PAGES, "name": "Aisleflow"}]  # noqa: RUF012
    external_views = [{"name": "Data Docs", "href": f"{PAGES}/data-docs/index.html", "destination": "nav", "category": "browse"}]  # noqa: RUF012
