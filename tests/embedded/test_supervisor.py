"""Restarts: what died is started again, later each time; an operator is told once, and once when it is over."""

from __future__ import annotations

import configparser
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from include.embedded import supervisor
from include.embedded.layout import PROJECT
from include.embedded.service import Service
from include.embedded.supervisor import Supervisor
from include.errors import TerminalError


@dataclass
class World:
    """Components that die when told to, and a clock."""

    dead: list[str] = field(default_factory=list)
    starts: bool = True
    seconds: float = 0
    slept: list[float] = field(default_factory=list)
    alerts: list[tuple[str, bool]] = field(default_factory=list)
    started: int = 0

    def start(self) -> None:
        self.started += 1
        if not self.starts:
            raise TerminalError("the disk is full")
        self.dead.clear()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def supervisor(self) -> Supervisor:
        return Supervisor(
            lambda: self.dead, self.start, lambda title, body, is_recovered: self.alerts.append((f"{title}\n{body}", is_recovered)),
            lambda _: None, self.sleep, lambda: self.seconds,
        )  # fmt: skip


def test_a_dead_component_is_started_and_nobody_is_woken() -> None:
    world = World(["postgres", "scheduler"])
    watching = world.supervisor()
    watching.check()
    watching.check()
    assert (world.started, world.alerts, world.slept) == (1, [], [supervisor.FIRST_WAIT_SECONDS])


def test_repeated_deaths_wait_longer_and_are_told_once() -> None:
    world = World()
    watching = world.supervisor()
    for _ in range(9):
        world.dead = ["scheduler"]
        watching.check()
    assert world.slept == [5, 10, 20, 40, 80, 160, 300, 300, 300] and world.started == 9
    [(text, is_recovered)] = world.alerts
    assert "scheduler died 3 times" in text and "aisleflow doctor" in text and not is_recovered


def test_what_does_not_start_is_tried_again_and_the_alert_says_why() -> None:
    world = World(["postgres"], starts=False)
    watching = world.supervisor()
    for _ in range(4):
        watching.check()
    assert world.started == 4 and len(world.alerts) == 1 and "the disk is full" in world.alerts[0][0]
    world.starts = True
    watching.check()
    world.seconds += supervisor.STABLE_SECONDS - 1
    watching.check()
    assert len(world.alerts) == 1, "not yet"
    world.seconds += 1
    watching.check()
    watching.check()
    assert [is_recovered for _, is_recovered in world.alerts] == [False, True]
    world.dead = ["postgres"]
    watching.check()
    assert world.slept[-1] == supervisor.FIRST_WAIT_SECONDS and len(world.alerts) == 2, "earlier deaths no longer count"


def unit(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_the_unit_runs_this_home(tmp_path: Path) -> None:
    home = tmp_path / "a home of 100%"
    found = unit(Service(home, is_system=True).text())
    assert found["Service"]["ExecStart"].endswith('/aisleflow" up --foreground')
    assert found["Service"]["Environment"] == f'"AISLEFLOW_HOME={home}"'.replace("%", "%%")
    assert found["Service"]["User"] == tmp_path.owner() and found["Install"]["WantedBy"] == "multi-user.target"
    assert found["Service"]["Restart"] == "always" and found["Service"]["KillMode"] == "mixed"
    assert "User" not in unit(Service(home, is_system=False).text())["Service"]


def test_two_homes_have_two_units(tmp_path: Path) -> None:
    names = {Service(home, is_system=True).name for home in (tmp_path / "a", tmp_path / "b", PROJECT / ".aisleflow")}
    assert len(names) == 3 and "aisleflow.service" in names and all("/" not in name for name in names)


def test_without_systemd_the_unit_is_written_and_the_rest_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: None)
    one = Service(tmp_path / "h", is_system=False)
    assert (
        one.install() == one.install() == [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", "--now", one.name]]
    )
    assert one.path.read_text() == one.text() and one.path.is_relative_to(tmp_path)
    one.remove()
    assert not one.path.exists()
