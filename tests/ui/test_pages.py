"""What an operator sees in Airflow: a red crawl, the question of a bot wall, held data before and after a decision, the form of a run.

Screenshots are kept in build/screenshots.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.ingestion.store_days import gtin
from tests.live.conftest import Installation, wait_for
from tests.live.test_people import SAMPLE, questions, store_day, times_a_hundred
from tests.ui.browser import Browser
from tests.ui.conftest import NIGHT

pytestmark = pytest.mark.ui

ASK = "ask_continue"
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"


def crawl(night: Installation, **conf: Any) -> str:
    run_id: str = night.api.trigger("scrape_aldi", partition_key=NIGHT, conf=conf)["dag_run_id"]
    return run_id


def task_url(night: Installation, dag_id: str, run_id: str, task: str, map_index: int = -1) -> str:
    url = f"{night.api.run_url(dag_id, run_id)}/tasks/{task}"
    return url if map_index < 0 else f"{url}/mapped/{map_index}"


def test_the_form_of_a_run_describes_its_params(night: Installation, browser: Browser) -> None:
    browser.go(f"{night.api.base_url}/dags/scrape_aldi", "Trigger")
    browser.click("Trigger")
    shown = browser.wait_for("stores", "categories", "pages", "reread")
    browser.take_screenshot(SCREENSHOTS / "form.png")
    assert "required" not in shown.lower(), "every param may stay empty"


def test_a_red_crawl_names_its_cause_in_the_log_of_the_task_that_failed(night: Installation, browser: Browser) -> None:
    run_id = crawl(night, stores=["G999"])
    assert night.api.wait_for_run("scrape_aldi", run_id, quiet_seconds=240)["state"] == "failed"
    browser.go(night.api.run_url("scrape_aldi", run_id), "Failed", "Upstream Failed")
    browser.take_screenshot(SCREENSHOTS / "red-crawl.png")
    browser.go(task_url(night, "scrape_aldi", run_id, "plan"), "aldi has no store G999")
    browser.take_screenshot(SCREENSHOTS / "red-crawl-log.png")


def test_a_bot_wall_asks_with_the_stores_and_the_deadline(night: Installation, browser: Browser) -> None:
    night.run("sandbox", "fault", "add", "wall", "--retailer", "aldi")
    run_id = crawl(night)

    def asked() -> dict[str, Any] | None:
        tasks = night.api.task_instances("scrape_aldi", run_id)
        return next((task for task in tasks if task["task_id"] == ASK and task["state"] == "awaiting_input"), None)

    try:
        task = wait_for(asked, "the question of the bot wall", seconds=300)
    finally:
        night.run("sandbox", "fault", "clear")
    url = task_url(night, "scrape_aldi", run_id, ASK, task["map_index"])
    shown = browser.go(f"{url}/required_actions", "session set aldi")
    browser.take_screenshot(SCREENSHOTS / "bot-wall.png")
    assert "Answer by" in shown and "UTC" in shown
    [store] = night.query("SELECT name FROM core.store WHERE retailer = 'aldi' AND complete_at IS NOT NULL")
    assert store["name"] in shown


def test_held_data_are_released_in_the_browser(night: Installation, browser: Browser, tmp_path: Path) -> None:
    first, second = sorted(SAMPLE.glob("aldi-*"))[:2]
    night.run("import", str(first))
    report = night.run("import", "--through-airflow", str(times_a_hundred(second, tmp_path / "wrong.jsonl")), expect=3)
    [held] = [file for file in report["files"] if file["state"] == "held"]
    path = wait_for(lambda: questions(night, "decide_held"), "the question in Airflow")[0]
    run_id, map_index = re.findall("dagRuns/(.*)/taskInstances/ask/(.*)/hitlDetails", path)[0]
    url = f"{task_url(night, 'decide_held', run_id, 'ask', int(map_index))}/required_actions"
    browser.go(url, "price_scale", "now", "so far", "Release")
    browser.take_screenshot(SCREENSHOTS / "held-before.png")

    browser.fill("textarea, input[name*=why]", "checked at the shelf")
    browser.click("Release")
    wait_for(
        lambda: night.query("SELECT FROM ops.staged_file WHERE file_id = %s AND state = 'published'", held["file_id"]), "its publication"
    )
    browser.go(url, "Response received", "from admin")
    browser.take_screenshot(SCREENSHOTS / "held-after.png")


def test_a_proposed_product_is_shown_with_both_sides_and_a_choice(night: Installation, browser: Browser, tmp_path: Path) -> None:
    night.run("import", store_day(tmp_path, "coles", "COL:9", ("x1", "Zorbo Leaf Tea", gtin(801))))
    night.run("import", store_day(tmp_path, "iga", "9009", ("y1", "Zorbo Leaf Tea", gtin(803))))
    night.api.trigger("decide_proposals", conf={"retailer": "coles"})
    path = wait_for(lambda: questions(night, "decide_proposals"), "the form in Airflow")[0]
    run_id, map_index = re.findall("dagRuns/(.*)/taskInstances/ask/(.*)/hitlDetails", path)[0]
    url = f"{task_url(night, 'decide_proposals', run_id, 'ask', int(map_index))}/required_actions"
    shown = browser.go(url, "approve: the two are one product", "aisleflow catalogue proposals show", "Record", "Leave open")
    browser.take_screenshot(SCREENSHOTS / "proposals.png")
    assert "coles " in shown and "proposal " in shown
