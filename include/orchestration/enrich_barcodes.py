"""The task of ``enrich_barcodes``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import OUTBOX
from include.orchestration.partitions import retailer_and_night
from include.orchestration.resources import resources


def prefill(dag_run: Any, params: Any, outlet_events: Any) -> dict[str, Any]:
    """Fill known barcodes into the files of the barcode inbox and pass them on; skip when none waits."""
    from include.enrichment import prefill as enrichment

    retailer_and_night(dag_run, params)  # a wrong key fails, although the work is the same for every key
    with resources() as (warehouse, storage):
        done = enrichment.prefill_waiting(warehouse, storage, "coles")
    if not done.files:
        raise AirflowSkipException("no file waits in the barcode inbox")
    outlet_events[OUTBOX].add_partitions(list(done.keys))
    outlet_events[OUTBOX].extra = {"prefilled": asdict(done.counts)}
    return asdict(done)
