"""The crawl of one store, compared with the limit set by latency and connections, and its memory: ``python -m benchmarks.crawl``.

The sandbox runs in a separate process and responds after a fixed latency; the crawl runs in another, without a pause between
requests. The yardstick is computed: ``connections`` requests in flight, each ``latency`` seconds long, are
``connections / latency`` requests per second. On a busy machine the sandbox takes longer: ``answer ms`` is the measured time, ``in use`` the share of the
connections' time spent waiting for a response. The store-days of all runs must be byte-identical.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.store_crawl import crawl_store
from include.errors import TerminalError
from include.model.store import StoreRef
from include.retailers.registry import retailer_of
from include.staging.storage import Storage
from sandbox.token import HEADER, make_token

NOW = "2026-11-18T09:00:00+00:00"
PROJECT = Path(__file__).resolve().parents[1]


@contextmanager
def sandbox(products: int, latency_seconds: float, home: Path) -> Iterator[str]:
    """Serve a world of one store per retailer; yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox.serve", "--port", str(port), "--stores", "1", "--products", str(products)]
    environment = os.environ | {"AISLEFLOW_NOW": NOW, "AISLEFLOW_HOME": str(home)}
    process = subprocess.Popen([*command, "--latency-seconds", str(latency_seconds)], cwd=PROJECT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise TerminalError(f"the sandbox ended with {process.returncode}; see its message above.")
            try:
                requests.get(f"{url}/_sandbox/health", timeout=2)
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def crawl_once(url: str, retailer: str, connections: int, root: Path) -> dict[str, float | int | str]:
    """Crawl the store of a retailer in this process; return the measured costs."""
    found = next(store for store in requests.get(f"{url}/_sandbox/stores/{retailer}", timeout=60).json() if store["kind"] == "supermarket")
    store = StoreRef(retailer, found["store_id"], found["name"], found["state"], found["online_store_id"])
    site: dict[str, Any] = {f"{retailer}_url": f"{url}/{retailer}"}
    settings = Settings(home=root, connections_per_store=connections, requests_in_flight=connections, **site)
    before = resource.getrusage(resource.RUSAGE_SELF)
    cpu_before = before.ru_utime + before.ru_stime
    outcome = crawl_store(
        CrawlRun(
            retailer=retailer_of(retailer),
            store=store,
            night=clock.night_of(clock.parse_instant(NOW, "benchmark")),
            run_key="bench",
            storage=Storage(f"file://{root}"),
            settings=settings,
            limiter=None,
        )
    )
    if not outcome.complete:
        raise TerminalError(f"{retailer}: {outcome.incomplete_reason}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    digest = sha256(b"".join(path.read_bytes() for stage in ("outbox", "barcode_inbox") for path in sorted((root / stage).rglob("*.*"))))
    answers = [
        json.loads(gzip.decompress(page.read_bytes()).split(b"\n", 1)[0])["elapsed_seconds"] for page in (root / "landing").rglob("*.gz")
    ]
    return {
        "requests": outcome.requests,
        "answer_seconds": sum(answers) / len(answers),
        "rows": outcome.rows,
        "seconds": outcome.seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime - cpu_before,
        "peak_mib": used.ru_maxrss // 1024,
        "store_day": digest.hexdigest()[:12],
    }


def measure(url: str, retailer: str, connections: int, folder: Path) -> dict[str, float | int | str]:
    """Crawl in a new process, so that its peak memory is that of this crawl alone."""
    root = folder / f"{retailer}-{connections}"
    command = [sys.executable, "-m", "benchmarks.crawl", "--once", url, retailer, str(connections), str(root)]
    environment = os.environ | {"AISLEFLOW_NOW": NOW, "AISLEFLOW_HOME": str(root)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    shutil.rmtree(root, ignore_errors=True)
    if done.returncode:
        raise TerminalError(f"the crawl ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, float | int | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _set_latency(url: str, seconds: float, home: Path) -> None:
    token = {HEADER: make_token(home)}
    requests.post(f"{url}/_sandbox/latency", json={"seconds": seconds}, headers=token, timeout=60).raise_for_status()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl", description=__doc__)
    parser.add_argument(
        "--once", nargs=4, metavar=("URL", "RETAILER", "CONNECTIONS", "ROOT"), help="one crawl in this process (used by the others)"
    )
    parser.add_argument("--retailer", action="append", help="only this one; may be repeated")
    parser.add_argument("--products", type=int, action="append", help="products per store; may be repeated (2000 and 30000)")
    parser.add_argument("--connections", type=int, action="append", help="may be repeated (1, 2 and 4)")
    parser.add_argument("--latency", type=float, default=0.1, help="minimum seconds of a response")
    asked = parser.parse_args()
    if asked.once:
        url, retailer, connections, root = asked.once
        print(json.dumps(crawl_once(url, retailer, int(connections), Path(root))))
        return
    print(f"latency {asked.latency * 1000:.0f} ms; {os.cpu_count()} cores, shared by the sandbox and the crawl")
    print(
        f"{'retailer':12}{'products':>9}{'rows':>8}{'conn.':>7}{'requests':>10}{'seconds':>9}{'req/s':>8}{'of possible':>13}{'answer ms':>11}{'in use':>8}{'CPU ms/req':>12}{'peak MiB':>10}  store-day"
    )
    with tempfile.TemporaryDirectory(prefix="aisleflow-crawl-") as temporary:
        folder = Path(temporary)
        for products in asked.products or [2000, 30_000]:
            with sandbox(products, asked.latency, folder / "home") as url:
                for retailer in asked.retailer or ["woolworths", "coles"]:
                    same: set[str] = set()
                    _set_latency(url, 0, folder / "home")
                    measure(url, retailer, 4, folder)  # the sandbox builds a shelf at its first request
                    _set_latency(url, asked.latency, folder / "home")
                    for connections in asked.connections or [1, 2, 4]:
                        found = measure(url, retailer, connections, folder)
                        rate = int(found["requests"]) / float(found["seconds"])
                        same.add(str(found["store_day"]))
                        print(
                            f"{retailer:12}{products:>9,}{found['rows']:>8,}{connections:>7}{found['requests']:>10,}{found['seconds']:>9.1f}"
                            f"{rate:>8.1f}{rate * asked.latency / connections:>13.1%}"
                            f"{1000 * float(found['answer_seconds']):>11.0f}{rate * float(found['answer_seconds']) / connections:>8.1%}{1000 * float(found['cpu_seconds']) / int(found['requests']):>12.1f}{found['peak_mib']:>10}  {found['store_day']}",
                            flush=True,
                        )
                    if len(same) > 1:
                        raise TerminalError(f"{retailer}: the store-days differ with the number of connections: {sorted(same)}")


if __name__ == "__main__":
    main()
