"""Every retailer's adapter by its slug: each name of ``include.retailer_names`` leads to the module of that name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from include import retailer_names
from include.errors import ConfigurationError
from include.retailers.base import Retailer


def _adapter(slug: str) -> Retailer:
    found = [kind for kind in vars(import_module(f"include.retailers.{slug}")).values() if getattr(kind, "name", None) == slug]
    if len(found) != 1 or not issubclass(found[0], Retailer):
        raise ConfigurationError(f"include/retailers/{slug}.py must hold exactly one Retailer with name = {slug!r}.")
    adapter: Retailer = found[0]()
    return adapter


RETAILERS: Mapping[str, Retailer] = MappingProxyType({slug: _adapter(slug) for slug in retailer_names.RETAILERS})


def retailer_of(name: str) -> Retailer:
    """Return a retailer by its slug.

    Raises:
        ConfigurationError: there is none of that name; the message lists all.
    """
    try:
        return RETAILERS[name]
    except KeyError:
        raise ConfigurationError(f"unknown retailer {name!r}. Known: {', '.join(RETAILERS)}.") from None
