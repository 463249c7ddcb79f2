"""Aisleflow's plugin: link buttons on tasks, and the pages that some of them open.

Every component of Airflow loads this module, so it imports little; the pages are imported at the first request.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from include.orchestration.links import PAGES, DataDocsLink, HeldQuestionLink


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Serve a request for a page (ASGI)."""
    await import_module("aisleflow_pages").app(scope, receive, send)


class Aisleflow(AirflowPlugin):
    """The components that Airflow loads."""

    name = "aisleflow"
    global_operator_extra_links = [HeldQuestionLink(), DataDocsLink()]  # noqa: RUF012 - Airflow declares plain lists
    fastapi_apps = [{"app": pages, "url_prefix": PAGES, "name": "Aisleflow"}]  # noqa: RUF012
    external_views = [{"name": "Data Docs", "href": f"{PAGES}/data-docs/index.html", "destination": "nav", "category": "browse"}]  # noqa: RUF012
