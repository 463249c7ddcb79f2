"""The pools as plain data: the installer creates them before a DAG is unpaused (tasks of a missing pool wait indefinitely).

The sum of the pools stays below the parallelism of 8, so that crawls and look-ups never starve ingestion.
"""

from include.retailer_names import RETAILERS


def crawl_pool(retailer: str) -> str:
    """Return the pool that limits how many stores of a retailer are crawled in parallel."""
    return f"crawl_{retailer}"


#: Limits how many workers look up barcodes in parallel.
LOOK_UP_POOL = "look_up_barcodes"

#: Pool name → what it is for, as the UI shows it.
DESCRIPTIONS: dict[str, str] = {
    crawl_pool(retailer): f"How many stores of {known.title} are crawled in parallel. Created by `aisleflow up`."
    for retailer, known in RETAILERS.items()
} | {LOOK_UP_POOL: "How many workers look up barcodes in parallel. Created by `aisleflow up`."}
#: Pool name → slots.
POOLS: dict[str, int] = {crawl_pool(retailer): 1 for retailer in RETAILERS} | {LOOK_UP_POOL: 2}
