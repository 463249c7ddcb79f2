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
    """One retailer: its name as the chain writes it, its adapter ``module:class``, its store ids, and the stage that its crawls write store-days to.

    ``store_id`` is the regular expression that a store id fully matches.
    """

    title: str
    adapter: str
    store_id: str = r"[A-Z]{0,3}[ :]?[0-9]{1,6}"
    stage: Literal["outbox", "barcode_inbox"] = "outbox"


RETAILERS: Mapping[str, Registration] = MappingProxyType(
    {
        "aldi": Registration("Aldi", "include.retailers.aldi:Aldi", store_id=r"G[0-9]{1,4}"),
        # lists no barcodes: enrich_barcodes fills in the known ones and passes the store-days on
        "coles": Registration("Coles", "include.retailers.coles:Coles", store_id=r"(?:[A-Z]{3}:)?[0-9]{1,5}", stage="barcode_inbox"),
        "iga": Registration("IGA", "include.retailers.iga:Iga", store_id=r"[0-9]{1,6}"),
        "woolworths": Registration("Woolworths", "include.retailers.woolworths:Woolworths", store_id=r"[0-9]{1,5}"),
    }
)
