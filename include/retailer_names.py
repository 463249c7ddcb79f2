"""The retailers: slug → what must be known of each before its adapter is imported.

This is the one place where a retailer is registered. It is read while DAG files are parsed and by the layers below the adapters,
so it imports none of them. A slug leads to its DAG ``dags/scrape_<slug>.py``, its pool ``crawl_<slug>`` and its address
``AISLEFLOW_<SLUG>_URL``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Registration:
    """One retailer: its name as the chain writes it, its adapter ``module:class``, and the stage that its crawls write store-days to."""

    title: str
    adapter: str
    stage: Literal["outbox", "barcode_inbox"] = "outbox"


RETAILERS: Mapping[str, Registration] = MappingProxyType(
    {
        "aldi": Registration("Aldi", "include.retailers.aldi:Aldi"),
        # lists no barcodes: enrich_barcodes fills in the known ones and passes the store-days on
        "coles": Registration("Coles", "include.retailers.coles:Coles", stage="barcode_inbox"),
        "iga": Registration("IGA", "include.retailers.iga:Iga"),
        "woolworths": Registration("Woolworths", "include.retailers.woolworths:Woolworths"),
    }
)
