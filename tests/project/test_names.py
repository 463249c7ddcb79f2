"""One name everywhere: a retailer's slug is the name of its adapter, its DAG, its pool, its setting and its pages."""

from __future__ import annotations

import pytest

from include.config import Settings
from include.embedded.airflow_env import PARALLELISM
from include.orchestration.pools import POOLS
from include.retailer_names import RETAILERS
from include.retailers import registry
from tests.project.files import ROOT


@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_slug_identifies_everything_of_its_retailer(retailer: str) -> None:
    folders = [f"include/retailers/{retailer}.py", f"dags/scrape_{retailer}.py", f"tests/payloads/{retailer}"]
    missing = [path for path in folders if not (ROOT / path).exists()]
    assert not missing, f'{retailer} has no {missing}. See CONTRIBUTING.md, "Add a retailer".'
    assert f"{retailer}_url" in Settings.model_fields
    assert f"crawl_{retailer}" in POOLS
    assert registry.RETAILERS[retailer].name == retailer


def test_the_registry_contains_no_other_retailer() -> None:
    assert registry.RETAILERS.keys() == RETAILERS.keys()


def test_crawls_never_starve_ingestion() -> None:
    assert sum(POOLS.values()) < PARALLELISM, "the crawl pools together must stay below the parallelism"
