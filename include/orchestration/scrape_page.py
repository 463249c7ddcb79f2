"""The page of the ``scrape_<retailer>`` DAGs: what all of them have in common, below what a DAG file says of its own retailer."""

from include.retailer_names import RETAILERS

_STAGES = {"outbox": "the outbox (asset `outbox`)", "barcode_inbox": "the barcode inbox (asset `barcode_inbox`)"}

_PAGE = """
**Starts** every night (partition: the night). **Reads** the {title} site (the sandbox, unless `AISLEFLOW_ALLOW_LIVE` is set), `core.store`,
`ops.crawl_request`. **Writes** landed pages, store-days into {stage}, `ops.crawl_plan`, `ops.crawl_outcome`, `ops.request_limit`, `ops.crawl_breaker`,
`ops.robots_txt`.

| task | does |
|---|---|
| `canary` | asks for one category of one store and compares its product rows with the shape on record: a changed page fails the run in seconds, expected and found keys named |
| `plan` | chooses and orders tonight's stores within the budget; every decision and its reason stand in `ops.crawl_plan` |
| `crawl` | one task per store, named after it; pages land before they are read; a failed category leaves the store-day incomplete, and a retry asks only for what is missing |
| `emit` | announces the staged files, also when some stores failed: good stores never wait |
| `refused` | the stores the site refused (bot wall); **skipped when there are none**, and with it `ask_continue`, `crawl_rest` |
| `ask_continue` | waits under *Required Actions* for **Approve** (ask again) or **Reject** (another night), at most `AISLEFLOW_BOT_WALL_RESPONSE_HOURS` |
| `crawl_rest` | after an Approve: the refused stores again, with the session a person put; they go on from their landed pages |
| `emit_rest` | announces the staged files again under the same key; red when the whole run yielded nothing |
| `needs_a_person` | red when nobody answered in time; otherwise skipped |
| `every_store_crawled` | skipped, with the reasons, when a store was crawled in part |
| `some_store_failed` | red when a store failed; otherwise skipped |

`crawl` and `crawl_rest` link to the staged files of their store.

**Refused by the site**: nothing is evaded. Blocked `crawl` tasks end skipped and keep their pages; after `AISLEFLOW_BREAKER_STORES` of them in a row no
further store is asked for. Put a session with `aisleflow session set {slug}` and approve. Too late for the question: put it, then clear the
skipped `crawl` tasks with downstream. How we behave towards the sites: docs/manners.md.

**By hand**: `stores`, `categories` and `pages` narrow a run (a part of a store makes an incomplete store-day); `reread` asks the site for nothing
and reads what is landed for `night` again with the present adapter.

**Safe to run again**: yes. A cleared store goes on from the pages landed in the last six hours of the same price week, else it starts afresh.

**When it fails**: open the red `crawl` task; the message names the page, the field or the refusal. A site that does not answer: clear the task
later. A changed page: see CONTRIBUTING, "A retailer's page changed". `needs_a_person`: as above.
"""


def scrape_page(retailer: str, peculiar: str) -> str:
    """Return the page of one retailer's DAG.

    Args:
        peculiar: the docstring of its DAG file: title, what it does and when it starts, and what holds for this retailer alone.
    """
    known = RETAILERS[retailer]
    return peculiar.rstrip() + "\n" + shared_page(known.title, retailer, _STAGES[known.stage])


def shared_page(title: str, slug: str, stage: str) -> str:
    """Return what all retailers' pages have in common, in the words of one."""
    return _PAGE.format(title=title, slug=slug, stage=stage)
