"""The doctor's findings and remedies."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from include.embedded import components, ports
from include.embedded import doctor as doctor_module
from include.embedded.components import Component, services_lock
from include.embedded.doctor import Finding, doctor
from include.embedded.layout import Layout
from include.errors import TransientError

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    Layout(tmp_path).create()
    yield tmp_path
    with services_lock(tmp_path):
        components.stop(tmp_path)


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_the_remedy_for_a_new_home_is_to_start_it(tmp_path: Path) -> None:
    found = by_subject(doctor(tmp_path / "never"))
    assert (found["postgres"].level, found["postgres"].remedy) == ("fail", "aisleflow up")
    assert (found["components"].level, found["components"].remedy) == ("fail", "aisleflow up")
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(("free_gib", "level"), [(0.5, "fail"), (3, "warn"), (50, "ok")])
def test_low_disk_space_is_reported_early(home: Path, monkeypatch: pytest.MonkeyPatch, free_gib: float, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(0, 0, int(free_gib * 1024**3)))
    found = by_subject(doctor(home))["disk"]
    assert found.level == level
    assert bool(found.remedy) is (level != "ok")


@pytest.mark.slow
def test_dead_and_missing_components_are_distinguished(home: Path) -> None:
    (home / "run" / "ports.json").write_text('{"api": 1, "logs": 2}')
    component = Component("sandbox", (sys.executable, "-c", "import time; time.sleep(600)"), "http://127.0.0.1:1/")
    with services_lock(home) as lock:
        components.start(home, component, dict(os.environ), lock)
    assert "no heartbeat" in by_subject(doctor(home))["sandbox"].text
    process = components.state_of(home, component).process
    assert process
    os.kill(process.pid, signal.SIGKILL)
    while process.is_alive():
        time.sleep(0.01)
    found = by_subject(doctor(home))
    assert "died" in found["sandbox"].text
    assert str(Layout(home).logs / "sandbox.log") in found["sandbox"].remedy
    assert {found[name].text for name in components.AIRFLOW} == {"is not running"}


@pytest.mark.slow
def test_problems_reported_by_airflow_become_findings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.orchestration.pools import POOLS

    class Api:
        plugin_errors: ClassVar = [{"source": "plugins/desk.py", "error": "ImportError: y"}]

        def list_dags(self) -> list[dict[str, Any]]:
            summaries = {"sweep": "*/15 * * * *", "ingest": "Partitioned Asset", "fine": None}
            return [{"dag_id": name, "is_paused": name != "fine", "timetable_summary": summary} for name, summary in summaries.items()]

        def import_errors(self) -> list[dict[str, Any]]:
            return [{"filename": "night.py", "stack_trace": "Traceback\nNameError: x\n"}]

        def plugin_import_errors(self) -> list[dict[str, Any]]:
            return self.plugin_errors

        def plugins(self) -> set[str]:
            return {"another"}

        def pools(self) -> dict[str, int]:
            return {name: slots + (name == "crawl_iga") for name, slots in POOLS.items() if name != "crawl_aldi"}

    monkeypatch.setattr(ports, "known", lambda _home: ports.Ports(1, 2))
    monkeypatch.setattr(components, "fetch_health", lambda _url: {"metadatabase": {"status": "healthy"}})
    monkeypatch.setattr(doctor_module, "client", lambda _home: Api())
    found = by_subject(doctor(home))
    assert (found["night.py"].level, found["night.py"].text) == ("fail", "NameError: x")
    assert found["plugins/desk.py"].level == "fail"
    assert (found["sweep"].level, found["sweep"].text) == ("warn", "is paused")
    assert "events of its assets are lost" in found["ingest"].text
    assert "fine" not in found
    assert "has 2 slots, should have 1" in found["pool crawl_iga"].text
    assert "has no slots" in found["pool crawl_aldi"].text
    assert "pools" not in found
    Api.plugin_errors = []
    assert "no alert is sent" in by_subject(doctor(home))["plugins"].text


def test_additional_checks_run_and_a_failing_one_is_a_finding(home: Path) -> None:
    def waiting_files(of: Path) -> list[Finding]:
        return [Finding("warn", "outbox", f"3 files wait in {of}", "aisleflow ...")]

    def broken_check(_home: Path) -> list[Finding]:
        raise TransientError("the warehouse is busy")

    found = by_subject(doctor(home, [waiting_files, broken_check]))
    assert found["outbox"].text == f"3 files wait in {home}"
    assert found["broken_check"].level == "fail"
    assert "the warehouse is busy" in found["broken_check"].text
