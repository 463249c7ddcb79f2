"""The address of alerts: kept with the installation, private, read at each send, shown without passwords."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from include.alerts import inbox
from include.alerts.address import AlertAddress, read_address, save_address, urls_of_connection
from include.alerts.delivery import display, services_of
from include.cli import alerts
from include.cli.doctor_checks import alerts as check_alerts
from include.config import settings
from include.embedded import airflow_env, installation
from include.errors import ConfigurationError

runner = CliRunner()
SECRET = "json://user:s3cret-pass@127.0.0.1:9/path"


class Monitor:
    """A monitor that answers with ``status`` and counts the requests."""

    def __init__(self, status: int) -> None:
        self.requests = 0
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.requests += 1
                self.send_response(status)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    server = Monitor(200)
    yield server
    server.server.shutdown()


def test_the_address_is_private_and_survives(tmp_path: Path) -> None:
    assert read_address(tmp_path) is None
    save_address(tmp_path, AlertAddress((SECRET,), "http://127.0.0.1/x"))
    assert read_address(tmp_path) == AlertAddress((SECRET,), "http://127.0.0.1/x")
    assert stat.S_IMODE((tmp_path / "alerts.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", '{"urls": 3, "heartbeat_url": null}', '{"urls": []'])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "alerts.json").write_text(content)
    with pytest.raises(ConfigurationError, match="aisleflow alerts address URL"):
        read_address(tmp_path)


def test_no_password_is_shown() -> None:
    assert "s3cret" not in display([SECRET]) and display([SECRET]).startswith("json://")
    with pytest.raises(ConfigurationError) as caught:
        services_of(["nonsense://user:s3cret-pass@x"])
    assert "s3cret" not in str(caught.value) and "nonsense" in str(caught.value)


@pytest.mark.parametrize(
    "extra", [{"config": {"path": SECRET}}, {"config": [{"path": SECRET, "tag": "all"}]}, json.dumps({"config": {"path": SECRET}})]
)
def test_a_connection_names_its_urls(extra: object) -> None:
    assert urls_of_connection(json.dumps({"conn_type": "apprise", "extra": extra})) == (SECRET,)


@pytest.mark.parametrize("connection", ["apprise://x", "{}", '{"extra": {"config": []}}', '{"extra": 3}'])
def test_a_connection_without_urls_is_named(connection: str) -> None:
    with pytest.raises(ConfigurationError, match="AIRFLOW_CONN_AISLEFLOW_ALERTS"):
        urls_of_connection(connection)


def test_up_keeps_the_address_of_the_shell_and_says_what_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.delenv(airflow_env.ALERTS_VARIABLE, raising=False)
    installation._keep_alert_address(tmp_path, messages.append)
    assert read_address(tmp_path) == AlertAddress() and messages == []
    monkeypatch.setenv(airflow_env.ALERTS_VARIABLE, json.dumps({"conn_type": "apprise", "extra": {"config": {"path": SECRET}}}))
    installation._keep_alert_address(tmp_path, messages.append)
    installation._keep_alert_address(tmp_path, messages.append)
    monkeypatch.delenv(airflow_env.ALERTS_VARIABLE)
    installation._keep_alert_address(tmp_path, messages.append)
    assert read_address(tmp_path) == AlertAddress((SECRET,)), "another shell keeps it"
    assert (
        len(messages) == 1
        and "alerts now go to json://" in messages[0]
        and "before: inbox://" in messages[0]
        and "s3cret" not in messages[0]
    )


def test_the_command_sets_shows_and_tries_the_address(monitor: Monitor) -> None:
    done = runner.invoke(alerts.app, ["address", monitor.url.replace("http://", "json://"), "inbox://home", "--heartbeat", monitor.url])
    assert done.exit_code == 0 and "aisleflow alerts test" in done.stdout
    done = runner.invoke(alerts.app, ["test"])
    assert done.exit_code == 0 and "Delivered to json://" in done.stdout and "The monitor was reached." in done.stdout
    assert monitor.requests == 2
    assert inbox.read(settings().home)[0]["title"] == "test: alerts of Aisleflow arrive here"
    assert runner.invoke(alerts.app, ["address", "--heartbeat", ""]).exit_code == 0
    saved = read_address(settings().home)
    assert saved is not None and saved.heartbeat_url is None and len(saved.urls) == 2


@pytest.mark.parametrize("given", [["nonsense://x"], ["--heartbeat", "ftp://x"], ["inbox://home", "--heartbeat", "x"]])
def test_an_unusable_address_changes_nothing(given: list[str]) -> None:
    save_address(settings().home, AlertAddress((SECRET,)))
    assert runner.invoke(alerts.app, ["address", *given]).exit_code == 2
    assert read_address(settings().home) == AlertAddress((SECRET,))


def test_a_refused_test_alert_fails() -> None:
    refusing = Monitor(500)
    save_address(settings().home, AlertAddress((refusing.url.replace("http://", "json://"),), refusing.url))
    done = runner.invoke(alerts.app, ["test"])
    assert done.exit_code == 1 and "NOT delivered" in done.stdout and "NOT reached" in done.stdout
    refusing.server.shutdown()


def test_doctor_reads_the_address_that_tasks_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(airflow_env.ALERTS_VARIABLE, raising=False)
    home = settings().home
    assert [finding.level for finding in check_alerts(home)] == ["warn"]
    save_address(home, AlertAddress((SECRET,), "http://127.0.0.1/x"))
    assert [(finding.level, finding.subject) for finding in check_alerts(home)] == [("ok", "alerts"), ("ok", "monitor")]
    assert "s3cret" not in str(check_alerts(home))
    save_address(home, AlertAddress())
    assert [finding.level for finding in check_alerts(home)] == ["ok", "warn"]
    (home / "alerts.json").write_text("{")
    assert [finding.level for finding in check_alerts(home)] == ["fail"]
