"""A crawl killed in the middle of a store resumes, and ends with the same file as an uninterrupted one, whatever became of the translation tables meanwhile."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.staging.storage import Storage
from include.staging.translation_tables import TableName, write_table
from include.wording.brand import fold_brand
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from sandbox.world import RETAILERS, World
from tests.crawling.killed_crawl import crawl

pytestmark = pytest.mark.slow

WORLD = GeneratedWorld(5, WorldSize(stores=1, products=250, silent_stores=0))


@pytest.fixture
def sandbox(sandbox: RunningSandbox) -> RunningSandbox:
    """Return the sandbox, slow enough for a kill in the middle of a store."""
    sandbox.faults.latency_seconds = 0.005
    return sandbox


def staged(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for stage in ("outbox", "barcode_inbox") for path in (root / stage).rglob("*.*")}


def brands_of(world: World, retailer: str, store_id: str) -> set[str]:
    shelf = world.shelf(retailer, store_id, datetime(2026, 11, 18, tzinfo=UTC))
    return {fold_brand(offer.brand_label) for offer in shelf.offers() if offer.brand_label}


def teach(root: Path, brands: set[str], canonical: str) -> None:
    """Let every brand of the store be another spelling of one."""
    write_table(Storage(f"file://{root}"), TableName.BRAND, [(brand, canonical) for brand in brands], 1, datetime(2026, 11, 18, tzinfo=UTC))


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_crawl_killed_in_mid_store_repeats_no_request_and_ends_the_same(
    retailer: str, connections: int, world: World, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    one = next(store for store in world.stores(retailer) if store.has_shelf)

    def about(root: Path) -> tuple[str, str, str, str, str, str, str]:
        return sandbox.url, retailer, one.store_id, one.state or "", one.online_store_id or "", f"file://{root}", str(connections)

    def start(root: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.crawling.killed_crawl", *about(root)], cwd=Path(__file__).parents[2])

    brands = brands_of(world, retailer, one.store_id)
    teach(tmp_path / "undisturbed", brands, "the first spelling")
    crawl(*about(tmp_path / "undisturbed"))
    sandbox.traffic.reset()

    teach(tmp_path / "killed", brands, "the first spelling")
    with start(tmp_path / "killed") as process:
        while sandbox.traffic.count(retailer, purpose="listing") < 20:
            assert process.poll() is None, "it ended before it was killed"
            threading.Event().wait(0.005)
        process.kill()
    answered = {arrival.line for arrival in sandbox.traffic.arrivals(retailer) if arrival.purpose in ("listing", "tree")}
    teach(tmp_path / "killed", brands, "the second spelling")
    landed = {path.name for path in (tmp_path / "killed" / "landing").rglob("*.gz")}
    crawl(*about(tmp_path / "killed"))

    again = {what for purpose in ("listing", "tree") for what in sandbox.traffic.repeated_requests(retailer, purpose=purpose)}
    assert len(landed) >= 20 - connections
    assert len(again & answered) <= connections, "at most what was under way when it was killed"
    found = staged(tmp_path / "killed")
    assert found == staged(tmp_path / "undisturbed")
    assert any(b"the first spelling" in gzip.decompress(content) for path, content in found.items() if path.endswith(".gz"))
