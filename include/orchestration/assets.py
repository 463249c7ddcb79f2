"""Every asset, declared once. Flows connect through assets, staged files and tables; partitions are ``retailer|night``."""

from airflow.sdk import Asset

#: Store-days wait in the outbox. Emitted by crawls, by barcode enrichment and by the sweep.
OUTBOX = Asset("outbox", uri="x-aisleflow://outbox")
#: Coles' store-days wait for prefill in the barcode inbox.
BARCODE_INBOX = Asset("barcode_inbox", uri="x-aisleflow://barcode_inbox")
#: Store-days of a retailer and night are held and no decision was requested yet. Emitted by ``ingest_prices`` and the sweep, consumed by ``decide_held``.
HELD = Asset("held", uri="x-aisleflow://held")
#: ``core.price`` changed for a retailer and night. Emitted by ``ingest_prices``, by ``decide_held`` for released data, and by the sweep for what
#: the command line published: a consumer reads the rows with ``changed_at`` since its last run.
PRICES = Asset("prices", uri="x-aisleflow://prices")
#: The store groups of a retailer were maintained after a night. Emitted by ``maintain_store_groups``.
STORE_GROUPS = Asset("store_groups", uri="x-aisleflow://store_groups")

#: Stage of a crawl's store-days → the asset that announces them.
ASSET_OF_STAGE = {"outbox": OUTBOX, "barcode_inbox": BARCODE_INBOX}
