"""The suite beside the other steps: a helper process imports Great Expectations while files are staged and loaded.

The gate waits for the suite's result as ever: nothing is published that it did not count. What the helper cannot do, for whatever reason, this process does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from include.ingestion.checks import data_docs, suite
from include.ingestion.helper import Helper
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


class SuiteHelper:
    """The suite's helper for one command. Nothing is started before :meth:`start` or the first question."""

    def __init__(self, warehouse: Warehouse, storage: Storage) -> None:
        self._warehouse, self._storage = warehouse, storage
        self._helper: Helper | None = None
        self._docs_requested = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._helper is not None:
            self._helper.__exit__(kind, error, trace)

    def start(self) -> None:
        """Start the helper, if it is not started: it imports the library from now on."""
        if self._helper is None:
            self._helper = Helper(
                "include.ingestion.checks.suite_worker",
                {"url": self._warehouse.url, "storage": self._storage.url, "settings": self._warehouse.settings.model_dump(mode="json")},
            )

    def count_broken(self, url: str, file_ids: Sequence[int], keep: Callable[[dict[str, Any]], object] | None = None) -> dict[str, int]:
        """Do what :func:`include.ingestion.checks.suite.count_broken` does, there."""
        self.start()
        assert self._helper is not None
        response = self._helper.ask({"do": "count", "file_ids": list(file_ids)})
        if response is None:
            log.warning("the suite's helper did not answer: this process runs the suite itself")
            return suite.count_broken(url, file_ids, keep)
        for evaluation in response["kept"] if keep is not None else ():
            keep(evaluation)  # type: ignore[misc]  # not None here
        return dict(response["broken"])

    def start_docs(self) -> None:
        """Have Data Docs built of what was checked by now, while prices are published. :meth:`wait_for_docs` waits for them."""
        if self._helper is not None:
            self._helper.send({"do": "data_docs"})
            self._docs_requested = True

    def wait_for_docs(self) -> None:
        """Wait for pages that were begun; build them here if the helper did not."""
        if self._docs_requested and self._helper is not None and self._helper.receive() is None:
            data_docs.publish_if_possible(self._warehouse, self._storage)
        self._docs_requested = False
