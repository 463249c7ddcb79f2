"""``aisleflow up``, ``down``, ``status``, ``doctor``: the embedded services."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from include.cli.common import DONE, FAILED, JsonOption, reported
from include.cli.output import print_json, print_table, progress, say, say_error
from include.errors import AisleflowError

app = typer.Typer(help="The embedded services.", no_args_is_help=True)


@app.command()
def up(
    as_json: JsonOption = False,
    foreground: Annotated[bool, typer.Option(help="Stay in the foreground and start again what dies; stop everything on Ctrl-C.")] = False,
) -> None:
    """Start PostgreSQL and Airflow, migrate both schemas, create pools, unpause new DAGs. Safe to repeat."""
    from include.config import settings
    from include.embedded import installation
    from include.embedded.sandbox import saved_sandbox, start_sandbox

    home = settings().home
    with reported(as_json), progress() as show_progress:
        _end_on_terminate()
        found = installation.up(home, show_progress)
        if before := saved_sandbox(home):  # this home crawls the sandbox: without it every crawl fails
            start_sandbox(home, before[0], show_progress)
    if as_json:
        print_json(asdict(found))
    else:
        say(f"Aisleflow is up: {found.ui_url}")
        say(f"Log in as admin, op or viewer with the passwords in {found.passwords_file}")
        say("To have the command aisleflow in this shell: . .venv/bin/activate")
    if foreground:
        _supervise(home)


@app.command()
def down(as_json: JsonOption = False) -> None:
    """Stop everything of this home; running tasks have 30 seconds to finish."""
    from include.config import settings
    from include.embedded import installation

    with reported(as_json), progress() as show_progress:
        stopped = installation.down(settings().home, show_progress)
    if as_json:
        print_json({"stopped": stopped})
    else:
        say(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Show the components and their addresses. Exit code 1 unless all are running."""
    from include.config import settings
    from include.embedded import installation

    with reported(as_json):
        found = installation.status(settings().home)
    if as_json:
        print_json(asdict(found))
    else:
        states = ["not healthy" if line.state == "running" and not line.is_healthy else line.state for line in found.components]
        rows = [
            {"state": state, "component": line.name, "pid": str(line.pid or "")}
            for state, line in zip(states, found.components, strict=True)
        ]
        print_table(rows, ("state", "component", "pid"))
        for name, value in (
            ("home", found.home),
            ("ui", found.ui_url),
            ("warehouse", found.warehouse_url),
            ("passwords", found.passwords_file),
            ("logs", str(Path(found.components[0].log).parent)),
        ):
            say(f"{name:<10} {value or '-'}")
    raise typer.Exit(DONE if found.is_up else FAILED)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check this installation and suggest remedies. Exit code 1 when a check fails."""
    from include.cli.doctor_checks import EXTRA_CHECKS
    from include.config import settings
    from include.embedded.doctor import doctor as examine

    with reported(as_json):
        findings = examine(settings().home, EXTRA_CHECKS)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        rows = [{"level": one.level, "check": one.subject, "finding": one.text, "remedy": one.remedy} for one in findings]
        print_table(rows, ("level", "check", "finding", "remedy"))
    raise typer.Exit(FAILED if any(finding.level == "fail" for finding in findings) else DONE)


def _supervise(home: Path) -> None:
    """Start what dies again, until Ctrl-C or a termination signal; then stop everything."""
    from include.embedded import installation
    from include.embedded.sandbox import saved_sandbox, start_sandbox
    from include.embedded.supervisor import Supervisor

    def start(show_progress: Callable[[str], None]) -> None:
        installation.up(home, show_progress)
        if known := saved_sandbox(home):
            start_sandbox(home, known[0], show_progress)

    def find_dead() -> list[str]:
        return [line.name for line in installation.status(home).components if line.state != "running"]

    try:
        with progress() as show_progress:
            Supervisor(find_dead, lambda: start(show_progress), lambda *alert: _tell(home, *alert), show_progress).run()
    except (KeyboardInterrupt, SystemExit):
        pass  # the expected end
    finally:
        with progress() as show_progress:
            installation.down(home, show_progress)


def _tell(home: Path, title: str, body: str, is_recovered: bool) -> None:
    """Send an alert from outside Airflow, which may be what died."""
    from include.alerts.address import AlertAddress, read_address
    from include.alerts.alerts import Alert
    from include.alerts.delivery import deliver, services_of

    try:
        delivered = deliver(
            Alert("services", "warning" if is_recovered else "critical", title, body, title),
            services_of((read_address(home) or AlertAddress()).urls),
        )
    except AisleflowError as error:
        say_error(f"error: {error}")
        delivered = False
    if not delivered:
        say_error(f"error: this alert was not delivered: {title}")


def _end_on_terminate() -> None:
    """Turn TERM into an exception, so that an unfinished ``up`` is rolled back."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
