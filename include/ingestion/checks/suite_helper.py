"""Runs the suite in a helper process, which imports Great Expectations while the command starts, stages and loads.

The gate still waits for the suite's result. If the helper fails for any reason, this process runs the suite itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from include.ingestion.helper import Helper

if TYPE_CHECKING:  # the helper starts before its parent's own imports
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


class SuiteHelper:
    """The suite's helper for one command. It starts with :meth:`start` or the first call, and works after :meth:`connect`."""

    def __init__(self) -> None:
        self._target: tuple[Warehouse, Storage] | None = None
        self._helper: Helper | None = None
        self._is_set_up = self._docs_requested = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._helper is not None:
            if not self._is_set_up:  # nothing was checked: do not wait for an import that nothing needs
                self._helper.kill()
            self._helper.__exit__(kind, error, trace)

    def start(self) -> None:
        """Start the helper unless it runs: it begins to import the library."""
        if self._helper is None:
            self._helper = Helper("include.ingestion.checks.suite_worker")

    def connect(self, warehouse: Warehouse, storage: Storage) -> None:
        """State the warehouse and the storage to work on, before the first call."""
        self._target = warehouse, storage

    def count_broken(self, url: str, file_ids: Sequence[int], keep: Callable[[dict[str, Any]], object] | None = None) -> dict[str, int]:
        """Run :func:`include.ingestion.checks.suite.count_broken` in the helper."""
        from include.ingestion.checks import suite

        self.start()
        assert self._helper is not None and self._target is not None
        if not self._is_set_up:
            warehouse, storage = self._target
            self._helper.send({"url": warehouse.url, "storage": storage.url, "settings": warehouse.settings.model_dump(mode="json")})
            self._is_set_up = True
        response = self._helper.call({"do": "count", "file_ids": list(file_ids)})
        if response is None:
            log.warning("the suite's helper gave no response: this process runs the suite itself")
            return suite.count_broken(url, file_ids, keep)
        for evaluation in response["kept"] if keep is not None else ():
            keep(evaluation)  # type: ignore[misc]  # not None here
        return dict(response["broken"])

    def start_docs(self) -> None:
        """Start building Data Docs in the helper while prices are published. :meth:`wait_for_docs` waits for them."""
        if self._helper is not None and self._is_set_up:
            self._helper.send({"do": "data_docs"})
            self._docs_requested = True

    def wait_for_docs(self) -> None:
        """Wait for the started pages; build them here if the helper failed."""
        if self._docs_requested and self._helper is not None and self._target is not None and self._helper.receive() is None:
            from include.ingestion.checks import data_docs

            data_docs.publish_if_possible(*self._target)
        self._docs_requested = False
