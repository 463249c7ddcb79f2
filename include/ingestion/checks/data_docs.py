"""Great Expectations' HTML pages (Data Docs) of the newest checks, for developers of the rules.

The suite's validation results are kept in ``ops.quality_check``, for a bounded number of checks. The pages are built from there under
one lock and copied to the storage root that all workers share. The library's fonts and pictures (4 MB) are copied once.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from include.ingestion.checks.library import great_expectations
from include.ingestion.checks.suite import NAME
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, lock

log = logging.getLogger(__name__)

FOLDER = "data_docs"
INDEX = f"{FOLDER}/index.html"
_VALIDATIONS = f"{FOLDER}/validations"
#: Holds the id of the newest check that the pages show.
_NEWEST = f"{FOLDER}/newest_check.txt"


def address(storage: Storage) -> str | None:
    """Return the URL of the first page; ``None``: no pages are published."""
    return f"{storage.url}/{INDEX}" if storage.exists(INDEX) else None


def publish(warehouse: Warehouse, storage: Storage) -> str | None:
    """Build the pages of all kept checks and publish them below the storage root. Safe to repeat.

    Returns:
        The URL of the first page; ``None`` if no check has been kept yet.

    Raises:
        OSError: the storage root cannot be written.
    """
    with warehouse.transaction() as connection:
        lock(connection, "data_docs")
        kept = connection.run("quality/list_evaluations").fetchall()
        if not kept:
            return None
        with tempfile.TemporaryDirectory(prefix="aisleflow-docs-") as folder:
            _build(Path(folder), kept)
            _copy(Path(folder), storage)
        storage.write(_NEWEST, str(max(check["check_id"] for check in kept)).encode())
    return f"{storage.url}/{INDEX}"


def are_current(warehouse: Warehouse, storage: Storage) -> bool:
    """Return whether the pages include the newest kept check, or no check is kept."""
    with warehouse.transaction() as connection:
        row = connection.run("quality/find_newest_evaluation").fetchone()
    newest = row["newest"] if row else None
    return newest is None or (storage.exists(_NEWEST) and storage.read(_NEWEST) == str(newest).encode())


def publish_if_possible(warehouse: Warehouse, storage: Storage) -> None:
    """Publish the pages after a check; a failure is only logged, because prices do not depend on pages."""
    try:
        publish(warehouse, storage)
    except OSError as error:
        log.error(
            "Data Docs were not published to %s/%s: %s. The results are in ops.quality_result; retry with `aisleflow quality docs`.",
            storage.url,
            FOLDER,
            error,
        )


def _build(folder: Path, kept: Sequence[Mapping[str, Any]]) -> None:
    gx: Any = great_expectations()
    from great_expectations.core.expectation_validation_result import (
        expectationSuiteValidationResultSchema,
    )
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier, ValidationResultIdentifier

    import include.ingestion.checks.expectation  # noqa: F401 its renderers

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.list_data_docs_sites()):
        context.delete_data_docs_site(site)
    site_on_disk: Any = {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "show_how_to_buttons": False,
    }
    context.add_data_docs_site("aisleflow", site_on_disk)
    for check in kept:
        name = run_name(check["retailer"], check["nights"])
        document = json.loads(json.dumps(check["evaluation"]))
        document["meta"]["run_id"] = {"run_name": name, "run_time": check["checked_at"].isoformat()}
        for result in document["results"]:
            if (sample := check["samples"].get(result["expectation_config"]["meta"]["rule"])) is not None:
                result["result"]["observed_value"] = f"{result['result']['observed_value']:,} ({sample})"
        key = ValidationResultIdentifier(
            ExpectationSuiteIdentifier(NAME), RunIdentifier(name, check["checked_at"]), f"check-{check['check_id']}"
        )
        context.validation_results_store.set(key, expectationSuiteValidationResultSchema.load(document))
    context.build_data_docs()


def run_name(retailer: str, nights: Sequence[date]) -> str:
    """Return the name of a check on the pages.

    >>> run_name("coles", [date(2026, 11, 17), date(2026, 11, 18)])
    'coles-2026-11-17-to-2026-11-18'
    """
    return f"{retailer}-{nights[0]}" + (f"-to-{nights[-1]}" if len(nights) > 1 else "")


def _copy(folder: Path, storage: Storage) -> None:
    """Copy new files, then the first page; then remove the pages it no longer links to."""
    has_static = storage.exists(f"{FOLDER}/static/styles/data_docs_default_styles.css")
    pages = {f"{FOLDER}/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*")) if path.is_file()}
    for name, path in pages.items():
        if name != INDEX and not (has_static and name.startswith(f"{FOLDER}/static/")):
            storage.put(str(path), name)
    storage.put(str(pages[INDEX]), INDEX)
    for name in _listed(storage):
        if name not in pages:
            storage.remove(name)


def _listed(storage: Storage) -> Iterator[str]:
    storage.filesystem.invalidate_cache()
    root = storage.full(_VALIDATIONS)
    if storage.filesystem.exists(root):
        for path in sorted(storage.filesystem.find(root)):
            yield f"{_VALIDATIONS}{path[len(root) :]}"
