"""The pools, plain data: the installer creates them before a DAG is unpaused (a missing pool leaves tasks waiting for ever).

The sum of the crawl pools stays below the parallelism of 8, so that crawls never starve ingestion.
"""

from include.retailer_names import RETAILERS


def crawl_pool(retailer: str) -> str:
    """Return the pool that bounds how many stores of a retailer are crawled at once."""
    return f"crawl_{retailer}"


#: Pool name → slots.
POOLS: dict[str, int] = {crawl_pool(retailer): 1 for retailer in RETAILERS}
