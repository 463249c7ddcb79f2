"""Every asset, declared once. Flows connect through assets, staged files and tables; partitions are ``retailer|night``, of bargains the night."""

from airflow.sdk import Asset


def _asset(name: str, description: str) -> Asset:
    """Return an asset whose page in the UI has a description; it is metadata of the asset, not of its events."""
    return Asset(name, uri=f"x-aisleflow://{name}", extra={"description": description})


OUTBOX = _asset("outbox", "Store-days wait in the outbox. Emitted by crawls, by barcode enrichment and by the sweep.")
BARCODE_INBOX = _asset("barcode_inbox", "Coles' store-days wait for prefill in the barcode inbox.")
HELD = _asset(
    "held",
    "Store-days of a retailer and night are held and no decision was requested yet. Emitted by ingest_prices and the sweep, consumed by decide_held.",
)
PRICES = _asset(
    "prices",
    "core.price changed for a retailer and night. Emitted by ingest_prices, by decide_held for released data, and by the sweep for what "
    "the command line published: a consumer reads the rows with changed_at since its last run.",
)
CATALOGUE = _asset(
    "catalogue",
    "SKUs changed without published prices: by look-ups, decisions, commands. Partition: the night. Emitted by the sweep, consumed by reconcile_catalogue.",
)
STORE_GROUPS = _asset("store_groups", "The store groups of a retailer were maintained after a night. Emitted by maintain_store_groups.")
BARGAINS_DUE = _asset(
    "bargains_due",
    "The bargains of a night are to be published: every retailer is in, or their time has come. Partition: the night. Emitted by maintain_store_groups and the sweep.",
)
BARGAINS = _asset("bargains", "core.bargain and its files were replaced. Partition: the night. Emitted by publish_bargains.")

#: Stage of a crawl's store-days → the asset that announces them.
ASSET_OF_STAGE = {"outbox": OUTBOX, "barcode_inbox": BARCODE_INBOX}
