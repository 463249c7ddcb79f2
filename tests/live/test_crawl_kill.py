"""A crawl killed within a store and cleared like by an operator: no successful request is repeated, and the prices are right."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import requests

from tests.live.conftest import Installation, fresh_installation, wait_for

pytestmark = pytest.mark.live

NIGHT = ("--stores", "1", "--products", "600", "--seed", "5", "--date", "2026-11-17")


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """An installation after its first night, with its sandbox running."""
    with fresh_installation("crawl") as made:
        made.run("night", *NIGHT)
        yield made


def log(installation: Installation) -> list[dict[str, Any]]:
    """Return the sandbox's request log."""
    url = json.loads((installation.home / "sandbox.json").read_text())["url"]
    lines = requests.get(f"{url}/_sandbox/requests/log", params={"retailer": "woolworths"}, timeout=30).text.splitlines()
    return [one for one in map(json.loads, lines) if one["purpose"] == "listing"]


def test_a_crawl_killed_within_a_store_and_cleared_repeats_no_request(running: Installation):
    running.run("sandbox", "requests", "--reset")
    running.run("sandbox", "latency", "0.4")
    started = running.api.trigger("scrape_woolworths", partition_key="2026-11-18")["dag_run_id"]

    def crawl_task() -> dict[str, Any] | None:
        tasks = running.api.task_instances("scrape_woolworths", started)
        return next((task for task in tasks if task["task_id"] == "crawl" and task["map_index"] == 0), None)

    def in_the_middle() -> dict[str, Any] | None:
        task = crawl_task()
        return task if task and task["state"] == "running" and task["pid"] and len(log(running)) >= 10 else None

    task = wait_for(in_the_middle, "a crawl in the middle of its store")
    victim = psutil.Process(task["pid"])
    for process in [*victim.children(recursive=True), victim]:
        os.kill(process.pid, signal.SIGKILL)
    sent_before_kill = len(log(running))
    running.run("sandbox", "latency", "0")
    wait_for(lambda: (crawl_task() or {}).get("state") in ("up_for_retry", "failed"), "the detection of the kill by the scheduler")
    running.api.clear("scrape_woolworths", started, [("crawl", 0)], downstream=True)
    assert running.api.wait_for_run("scrape_woolworths", started, quiet_seconds=300)["state"] == "success"

    requests_sent = log(running)
    assert len(requests_sent) > sent_before_kill >= 10
    twice = {what: count for what, count in Counter(one["line"] for one in requests_sent if one["status"] == 200).items() if count > 1}
    assert len(twice) <= 2, "the canary's page, and the request in flight when the task was killed"
    wait_for(lambda: not running.query("SELECT FROM ops.staged_file WHERE state IN ('waiting', 'loaded')"), "its publication")
    [row] = running.query("SELECT state, is_complete FROM ops.staged_file WHERE retailer = 'woolworths' AND night = '2026-11-18'")
    assert row == {"state": "published", "is_complete": True}
