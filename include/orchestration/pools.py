"""The pools as plain data: the installer creates them before a DAG is unpaused (tasks of a missing pool wait indefinitely).

The sum of the crawl pools stays below the parallelism of 8, so that crawls never starve ingestion.
"""

from include.retailer_names import RETAILERS


def crawl_pool(retailer: str) -> str:
    """Return the pool that limits how many stores of a retailer are crawled in parallel."""
    return f"crawl_{retailer}"


#: Pool name → what it is for, as the UI shows it.
DESCRIPTIONS: dict[str, str] = {
    crawl_pool(retailer): f"How many stores of {known.title} are crawled in parallel. Created by `aisleflow up`."
    for retailer, known in RETAILERS.items()
}
#: Pool name → slots.
POOLS: dict[str, int] = {crawl_pool(retailer): 1 for retailer in RETAILERS}
