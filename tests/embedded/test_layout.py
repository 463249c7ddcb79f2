"""Paths, locks and private files of one home."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from include.embedded.layout import Layout, locked, rotate_log, tail, write_private
from include.errors import ConfigurationError
from include.staging.storage import Storage


def test_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Layout(Path("here")).run == tmp_path / "here" / "run"


def test_a_home_that_cannot_be_created_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="AISLEFLOW_HOME"):
        Layout(tmp_path / "file" / "home").create()


def test_a_private_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("before")
    path.chmod(0o644)
    write_private(path, "after")
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["secret"]


@pytest.mark.slow
def test_a_lock_excludes_other_processes_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    attempt = f"import fcntl; fcntl.flock(open({str(path)!r}), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    with locked(path):
        assert subprocess.run([sys.executable, "-c", attempt], capture_output=True, check=False).returncode != 0
    assert subprocess.run([sys.executable, "-c", attempt], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_waiting_for_a_lock_is_reported_once(tmp_path: Path) -> None:
    path, messages = tmp_path / "lock", []
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import fcntl; f = open({str(path)!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdin and holder.stdout
    holder.stdout.readline()

    def waiting() -> None:
        messages.append("waiting")
        assert holder.stdin
        holder.stdin.close()

    with locked(path, waiting):
        assert messages == ["waiting"]
    holder.wait(10)
    holder.stdout.close()


def test_tail_is_the_end_of_a_log_or_reports_a_missing_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert "no log at" in tail(log)
    log.write_text("")
    assert "is empty" in tail(log)
    log.write_bytes(b"\xff first\n" + b"line\n" * 50_000 + b"last\n")
    assert tail(log, lines=2) == "line\nlast"


def test_the_log_of_the_last_start_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    for text in ("first", "second"):
        log.write_text(text)
        rotate_log(log)
    assert log.read_bytes() == b""
    assert modes(log) == [0o600]
    assert (tmp_path / "x.log.1").read_text() == "second"


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "home")
    (layout.home / "storage").mkdir(parents=True, mode=0o755)
    layout.run.mkdir(mode=0o711)  # as root: PostgreSQL's user passes through
    layout.create()
    assert modes(layout.logs, layout.airflow_home, layout.storage, layout.run) == [0o700, 0o700, 0o700, 0o711]
    assert modes(tmp_path) == [0o700], "a parent stays as it was"
    with locked(layout.run / "some.lock"):
        pass
    assert modes(layout.run / "some.lock") == [0o600]


def test_a_new_home_and_a_new_storage_root_are_private(tmp_path: Path) -> None:
    Layout(tmp_path / "home").create()
    Storage(f"file://{tmp_path / 'staged'}").write("outbox/a", b"x")
    (tmp_path / "shared").mkdir(mode=0o755)
    Storage(f"file://{tmp_path / 'shared'}").write("outbox/a", b"x")
    assert modes(tmp_path / "home", tmp_path / "home" / "storage", tmp_path / "staged", tmp_path / "shared") == [0o700, 0o700, 0o700, 0o755]


@pytest.mark.slow
def test_another_user_cannot_take_a_lock_of_the_home(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try it as another user")
    with tempfile.TemporaryDirectory(prefix="aisle-test-") as folder:
        Path(folder).chmod(0o755)
        layout = Layout(Path(folder) / "home")
        layout.create()
        layout.home.chmod(0o711)
        layout.run.chmod(0o711)
        with locked(layout.run / "services.lock"):
            pass
        program = f"import os; os.setuid(65534); open({str(layout.run / 'services.lock')!r})"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert "PermissionError" in done.stderr
