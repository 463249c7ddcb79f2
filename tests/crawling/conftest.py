"""A site on loopback, a fictitious retailer that reads it, and settings without waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.config import Settings
from include.retailer_names import RETAILERS, Registration
from include.staging import storage as storage_module
from include.staging.storage import Storage
from tests.crawling.fake_site import Crawl, Hillview, Site


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    yield found
    found.close()


@pytest.fixture
def hillview(site: Site, monkeypatch: pytest.MonkeyPatch) -> Hillview:
    registered = Registration("Hillview", "tests.crawling.fake_site:Hillview", store_id="H [0-9]+")
    monkeypatch.setattr(storage_module, "RETAILERS", {**RETAILERS, "hillview": registered})
    retailer = Hillview()
    monkeypatch.setattr(Hillview, "base_url", site.url, raising=False)
    return retailer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", backoff_seconds_max=0.001, request_attempts=3)


@pytest.fixture
def crawl(hillview: Hillview, site: Site, storage: Storage, settings: Settings) -> Crawl:
    return Crawl(hillview, site, storage, settings)
