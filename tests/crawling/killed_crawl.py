"""Crawls one store; as a program in a process that can be killed: ``python -m tests.crawling.killed_crawl URL RETAILER STORE STATE ONLINE ROOT CONNECTIONS``."""

from __future__ import annotations

import sys
from datetime import date

from include.config import settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.store_crawl import crawl_store
from include.model.store import StoreRef
from include.retailers.registry import retailer_of
from include.staging.storage import Storage


def crawl(url: str, retailer: str, store_id: str, state: str, online_store_id: str, root: str, connections: str) -> None:
    """Crawl a store of the sites at an address, into a storage root, until it is complete."""
    chosen = settings().model_copy(update={f"{retailer}_url": f"{url}/{retailer}", "connections_per_store": int(connections)})
    outcome = crawl_store(
        CrawlRun(
            retailer=retailer_of(retailer), store=StoreRef(retailer, store_id, "A store", state, online_store_id), night=date(2026, 11, 18), run_key="run",
            storage=Storage(root), settings=chosen, limiter=None,
        )
    )  # fmt: skip
    assert outcome.complete, outcome.incomplete_reason


if __name__ == "__main__":
    crawl(*sys.argv[1:])
