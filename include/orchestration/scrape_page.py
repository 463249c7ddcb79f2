"""The page of the ``scrape_<retailer>`` DAGs: the part about the retailer from its DAG file, then the common part."""

from datetime import UTC, date

from include.config import settings
from include.model.timetable import at
from include.retailer_names import RETAILERS

_STAGES = {"outbox": "the outbox (asset `outbox`)", "barcode_inbox": "the barcode inbox (asset `barcode_inbox`)"}

_PAGE = """
**Starts** every night {start} (partition: the night); after `AISLEFLOW_CRAWL_UNTIL` no further store is begun.
**Reads** the {title} site (the sandbox, unless `AISLEFLOW_ALLOW_LIVE` is set), `core.store`, `ops.crawl_request`.
**Writes** landed pages, store-days into {stage}, `ops.crawl_plan`, `ops.crawl_outcome`, `ops.request_limit`, `ops.crawl_breaker`, `ops.robots_txt`.

| task | does |
|---|---|
| `canary` | requests one category of one store and compares its product rows with the shape on record: a changed page fails the run in seconds, and the message gives expected and found keys |
| `plan` | chooses and orders tonight's stores within the budget; `ops.crawl_plan` stores every decision with its reason |
| `crawl` | one task per store, named after it; pages are landed before they are parsed; a failed category leaves the store-day incomplete, and a retry requests only the missing pages |
| `emit` | announces the staged files, also when some stores failed: the crawled stores do not wait for them |
| `every_store_crawled` | red when stores failed, and the message lists them per cause, or when the question about refused ones had no answer in time; skipped, with the reasons, when a store was crawled in part or left out |
| `run_succeeded` | does nothing; *upstream failed* when a task failed, so that the run is red |

The task group `bot_wall` matters only after the site refused stores; its tasks are skipped otherwise:

| task | does |
|---|---|
| `refused` | lists the stores that the site refused |
| `ask_continue` | alerts a person, and waits under *Required Actions* for **Approve** (crawl again) or **Reject** (another night), at most `AISLEFLOW_BOT_WALL_RESPONSE_HOURS`; reminders come before it lapses |
| `crawl_rest` | after an Approve: crawls the refused stores again with the stored session, starting from their landed pages |
| `emit_rest` | announces the staged files again under the same key |

`crawl` and `crawl_rest` link to the staged files of their store.

**Refused by the site**: no bot protection is evaded. Refused `crawl` tasks end skipped and keep their landed pages; after `AISLEFLOW_BREAKER_STORES` refused stores in a row
no further store is crawled. Store a session with `aisleflow session set {slug}` and approve. If the request has expired: store a session, then clear the
skipped `crawl` tasks with downstream. The crawling policy: docs/crawling-policy.md.

**Manual runs**: `stores`, `categories` and `pages` restrict a run (a partly crawled store makes an incomplete store-day); `reread` sends no request
and parses the landed pages of `night` again with the present adapter.

**Safe to run again**: yes. A cleared store continues from the pages landed in the last `AISLEFLOW_LANDING_RESUME_HOURS` (6) of the same price week, else it starts over.

**When it fails**: one alert names the cause and the next step. `canary` or `plan` is red: nothing was crawled; follow its message and clear it with downstream.
`every_store_crawled` is red: it lists the failed stores per cause; their `crawl` tasks have the details: the page, the field, the refusal. The site does not respond: clear them
later, with downstream. A changed page: see CONTRIBUTING, "A retailer's page changed". No answer in time: as under *Refused by the site*.
"""


def scrape_page(retailer: str, peculiar: str) -> str:
    """Return the page of one retailer's DAG.

    Args:
        peculiar: the docstring of its DAG file: title, purpose, and the facts specific to this retailer.
    """
    known = RETAILERS[retailer]
    return peculiar.rstrip() + "\n" + shared_page(known.title, retailer, _STAGES[known.stage], _start(retailer))


def _start(retailer: str) -> str:
    """Return when a crawl starts, in Melbourne's time and UTC, in summer and winter."""
    when = settings().timetable.crawl_from(retailer)
    summer, winter = (at(date(2026, month, 1), when).astimezone(UTC) for month in (1, 7))
    return f"at {when:%H:%M} Melbourne ({summer:%H:%M} UTC of the day before, {winter:%H:%M} in winter)"


def shared_page(title: str, slug: str, stage: str, start: str) -> str:
    """Return the common part, filled in for one retailer."""
    return _PAGE.format(title=title, slug=slug, stage=stage, start=start)
