"""The retailers: slug → name as the chain writes itself. The one list; everything else follows from it.

A slug leads to its adapter ``include/retailers/<slug>.py``, its DAG ``dags/scrape_<slug>.py``, its pool
``crawl_<slug>`` and its address ``AISLEFLOW_<SLUG>_URL``.
"""

from collections.abc import Mapping
from types import MappingProxyType

RETAILERS: Mapping[str, str] = MappingProxyType({"coles": "Coles", "woolworths": "Woolworths", "aldi": "Aldi", "iga": "IGA"})
