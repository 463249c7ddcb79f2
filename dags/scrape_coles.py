"""# Scrape Coles

Crawls tonight's Coles stores and stages one store-day per store.

**Starts** every night at 04:00 Melbourne (partition: the night). By hand: give `stores` to crawl just those. **Reads** the Coles site
(the sandbox, unless `AISLEFLOW_ALLOW_LIVE` is set), `core.store`, `ops.crawl_request`. **Writes** landed pages, store-days into the barcode inbox (asset `barcode_inbox`): Coles lists no barcodes, `enrich_barcodes` fills in the known ones and passes the file on, `ops.crawl_plan`, `ops.crawl_outcome`.

| task | does |
|---|---|
| `plan` | chooses and orders tonight's stores within the budget; every decision and its reason stand in `ops.crawl_plan` |
| `crawl` | one task per store, named after it; pages land before they are read; a failed category leaves the store-day incomplete |
| `emit` | announces the staged files, also when some stores failed: good stores never wait |
| `every_store_crawled` | skipped, with the reasons, when a store was crawled in part |
| `some_store_failed` | red when a store failed; otherwise skipped |

**Safe to run again**: yes. A cleared store goes on from the pages landed in the last six hours of the same price week, else it starts afresh.

**When it fails**: open the red `crawl` task; the message names the page, the field or the refusal. A site that does not answer: clear the task
later. A changed page: see CONTRIBUTING, "A retailer's page changed". A refusal (bot wall): a person is needed, nothing is evaded.
"""

from include.orchestration.assets import BARCODE_INBOX
from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_coles = scrape_dag("coles", minute=0, doc_md=__doc__, emits=BARCODE_INBOX)
