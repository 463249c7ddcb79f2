"""The fixtures of the crawl's tests."""

from tests.crawling.conftest import crawl, hillview, settings, site

__all__ = ["crawl", "hillview", "settings", "site"]
