"""Every asset, declared once. Flows meet in these, in staged files and in tables; partitions are ``retailer|night``."""

from airflow.sdk import Asset

#: Store-days wait in the outbox. Emitted by crawls, by barcode enrichment and by the sweep.
OUTBOX = Asset("outbox", uri="x-aisleflow://outbox")
#: Coles' store-days wait for prefill in the barcode inbox.
BARCODE_INBOX = Asset("barcode_inbox", uri="x-aisleflow://barcode_inbox")
#: Store-days of a retailer and night are held and nobody was asked yet. Emitted by ``ingest_prices`` and the sweep, heard by ``decide_held``.
HELD = Asset("held", uri="x-aisleflow://held")
#: ``core.price`` changed for a retailer and night. Emitted by ``ingest_prices``, and by ``decide_held`` for what a person released.
PRICES = Asset("prices", uri="x-aisleflow://prices")

#: Stage of a crawl's store-days → the asset that says so.
ASSET_OF_STAGE = {"outbox": OUTBOX, "barcode_inbox": BARCODE_INBOX}
