"""Read-only pages under ``/aisleflow``: the Data Docs, and the staged files of a store.

Airflow does not protect a plugin's pages: each requires the permission to read the DAG that made the data. Pages contain text of retailers'
sites, so they are sandboxed: scripts in that text cannot act in the name of the visitor.
"""

from __future__ import annotations

import html
from dataclasses import fields
from mimetypes import guess_type

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse

from include.config import settings
from include.errors import TerminalError
from include.retailer_names import RETAILERS
from include.staging.storage import Storage
from include.staging.store_files import StoreFile, list_store_files

_HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
#: A sandboxed page requests its styles without the visitor's cookie. The styles are part of the library and contain no data.
_STATIC = "static/"

#: A user who may read the DAG may read its data.
_MAY_READ = [Depends(requires_access_dag("GET", param_dag_id="ingest_prices"))]

app = FastAPI(title="Aisleflow", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/data-docs/static/{path:path}")
def data_docs_static(path: str) -> Response:
    """Return a font, picture or style of the Data Docs."""
    return _file(f"{_STATIC}{path}")


@app.get("/data-docs/{path:path}", dependencies=_MAY_READ)
def data_docs(path: str) -> Response:
    """Return a page of the Data Docs."""
    return _file(path)


def _file(path: str) -> Response:
    from include.ingestion.checks.data_docs import FOLDER

    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise HTTPException(404, "page not found")
    try:
        content = Storage(settings().storage).read(f"{FOLDER}/{path}")
    except (FileNotFoundError, IsADirectoryError):
        raise HTTPException(
            404, "page not found. `aisleflow quality docs` publishes the pages again; none exist before the first check."
        ) from None
    return Response(content, media_type=guess_type(path)[0] or "application/octet-stream", headers=_HEADERS)


@app.get("/stores/{retailer}/{store_id}", dependencies=_MAY_READ)
def store(retailer: str, store_id: str) -> HTMLResponse:
    """List the staged files of a store, the newest night first."""
    try:
        files = list_store_files(Storage(settings().storage), retailer, store_id)
    except TerminalError as error:
        raise HTTPException(404, str(error)) from None
    title = html.escape(f"{RETAILERS[retailer].title} {store_id}: staged files")
    columns = [field.name for field in fields(StoreFile)]
    head = "".join(f"<th>{column.replace('_', ' ')}</th>" for column in columns)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(getattr(file, column))}</td>" for column in columns) + "</tr>" for file in files)
    table = f"<table><tr>{head}</tr>{rows}</table>" if files else "<p>No file of this store is staged.</p>"
    style = "body{font-family:sans-serif;margin:2em}td,th{text-align:left;padding:.3em .8em;border-bottom:1px solid #ccc}"
    note = "<p>Paths are below the storage root. <code>outbox</code> waits for ingestion or is held, <code>archive</code> is published.</p>"
    return HTMLResponse(
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{style}</style><h1>{title}</h1>{table}{note}", headers=_HEADERS
    )


def _cell(value: object) -> str:
    return "" if value is None else html.escape(str(value))
