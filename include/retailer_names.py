"""The retailers: slug → name as the chain writes itself. A retailer is registered by its adapter and by nothing else.

The list is read off the files ``include/retailers/<slug>.py`` whose class says ``name`` and ``title``, without importing
them: this module is read while DAG files are parsed, and by the layers below the adapters. A slug leads to its DAG
``dags/scrape_<slug>.py``, its pool ``crawl_<slug>`` and its address ``AISLEFLOW_<SLUG>_URL``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_SAYS = re.compile(r'^    name = "(?P<slug>[a-z]+)"\n    title = "(?P<title>[^"\n]+)"$', re.MULTILINE)


def _registered() -> dict[str, str]:
    found = {}
    for file in sorted((Path(__file__).parent / "retailers").glob("*.py")):
        said = _SAYS.search(file.read_text(encoding="utf-8"))
        if said and said["slug"] == file.stem:
            found[said["slug"]] = said["title"]
    return found


RETAILERS: Mapping[str, str] = MappingProxyType(_registered())
