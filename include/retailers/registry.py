"""Every retailer's adapter by its slug, as ``include.retailer_names`` registers them."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from types import MappingProxyType

from include import retailer_names
from include.errors import ConfigurationError
from include.retailers.base import Retailer

RETAILERS: Mapping[str, Retailer] = MappingProxyType(
    {slug: resolve_name(known.adapter)() for slug, known in retailer_names.RETAILERS.items()}
)


def retailer_of(name: str) -> Retailer:
    """Return a retailer by its slug.

    Raises:
        ConfigurationError: the slug is unknown; the message lists all.
    """
    try:
        return RETAILERS[name]
    except KeyError:
        raise ConfigurationError(f"unknown retailer {name!r}. Known: {', '.join(RETAILERS)}.") from None
