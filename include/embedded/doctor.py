"""Checks an installation and suggests remedies."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from include.config import settings
from include.embedded import airflow_env, components, ports
from include.embedded.airflow_api import AirflowApi, client
from include.embedded.components import airflow_components, known_components, state_of
from include.embedded.layout import Layout
from include.embedded.postgres import running_postgres
from include.embedded.postgres_roles import WAREHOUSE
from include.errors import AisleflowError

_GIB = 1024**3
DISK_FAIL_BYTES, DISK_WARN_BYTES = 1 * _GIB, 5 * _GIB


@dataclass(frozen=True)
class Finding:
    """The result of one check; ``level`` is ok, warn or fail, ``remedy`` is empty if there is nothing to do."""

    level: str
    subject: str
    text: str
    remedy: str = ""


#: An additional check, e.g. for overdue staged files; receives the home.
Check = Callable[[Path], Sequence[Finding]]


def doctor(home: Path, extra_checks: Sequence[Check] = ()) -> list[Finding]:
    """Check an installation without changing or starting anything; a check that itself fails is a finding."""
    checks: list[tuple[str, Callable[[Path], Sequence[Finding]]]] = [
        ("disk", _disk),
        ("warehouse", _warehouse),
        ("components", _components),
        ("Airflow", _airflow),
        *((getattr(check, "__name__", "check").strip("_"), check) for check in extra_checks),
    ]
    findings: list[Finding] = []
    for subject, check in checks:
        try:
            findings += check(home)
        except (AisleflowError, OSError, psycopg.Error) as error:
            findings.append(Finding("fail", subject, f"could not be checked: {error}", "see the message"))
    return findings


def _disk(home: Path) -> list[Finding]:
    layout = Layout(home)
    existing_folder = next(path for path in (layout.home, *layout.home.parents) if path.exists())
    free_bytes = shutil.disk_usage(existing_folder).free
    level = "fail" if free_bytes < DISK_FAIL_BYTES else "warn" if free_bytes < DISK_WARN_BYTES else "ok"
    remedy = "" if level == "ok" else f"free space on the disk of {existing_folder}, or lower AISLEFLOW_ARCHIVE_DAYS"
    return [Finding(level, "disk", f"{free_bytes / _GIB:.1f} GiB free", remedy)]


def _warehouse(home: Path) -> list[Finding]:
    from include.warehouse.migrations import current_revision, edited_migrations, missing_retailers, newest_revision

    findings = []
    cluster = running_postgres(home)
    if cluster:
        findings.append(Finding("ok", "postgres", f"runs (pid {cluster.pid})"))
    else:
        findings.append(Finding("fail", "postgres", "is not running", "aisleflow up"))
    url = settings().warehouse_url or (cluster and cluster.url(WAREHOUSE))
    if not url:
        return findings
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute("SELECT 1")
    current, newest = current_revision(url), newest_revision()
    if current != newest:
        return [
            *findings,
            Finding("fail", "warehouse schema", f"revision {current}, the code needs {newest}", "aisleflow warehouse migrate"),
        ]
    if edited := edited_migrations(url):
        text = f"revision {current}, but it was made by another version of migration {', '.join(edited)}: its tables may differ from what the code expects"
        remedy = "use the version of Aisleflow that made it, or an empty warehouse (another AISLEFLOW_HOME or AISLEFLOW_WAREHOUSE_URL)"
        return [*findings, Finding("fail", "warehouse schema", text, remedy)]
    if missing := missing_retailers(url):
        return [*findings, Finding("fail", "warehouse schema", f"no row for {', '.join(missing)}", "aisleflow warehouse migrate")]
    return [*findings, Finding("ok", "warehouse schema", f"revision {current}")]


def _components(home: Path) -> list[Finding]:
    if ports.known(home) is None:
        return [Finding("fail", "components", "never started in this home", "aisleflow up")]
    environment = airflow_env.environment(home) if running_postgres(home) else None  # the environment would start PostgreSQL
    expected = airflow_components(home)
    names = {component.name for component in expected}
    extras = [state.component for state in known_components(home) if state.component.name not in names]
    findings = []
    for component in (*expected, *extras):
        state = state_of(home, component)
        log = Layout(home).logs / f"{component.name}.log"
        if state.state == "stopped":
            findings.append(Finding("fail", component.name, "is not running", "aisleflow up"))
        elif state.state == "dead":
            findings.append(Finding("fail", component.name, "died", f"read {log}, then start it again"))
        elif not components.is_healthy(home, component):
            findings.append(
                Finding("fail", component.name, "is running, but sends no heartbeat", f"read {log}; then: aisleflow down, aisleflow up")
            )
        elif environment and components.settings_changed(home, component, environment):
            findings.append(
                Finding(
                    "warn",
                    component.name,
                    "is healthy, but runs with earlier settings",
                    "to apply the changed ones: aisleflow down, aisleflow up",
                )
            )
        else:
            findings.append(Finding("ok", component.name, "healthy"))
    return findings


def _airflow(home: Path) -> list[Finding]:
    response = components.fetch_health(f"{ports.ui_url(home)}/api/v2/monitor/health") if ports.known(home) else None
    if response is None or response["metadatabase"]["status"] != "healthy":
        return [Finding("warn", "DAGs and pools", "not checked: Airflow does not respond", "aisleflow up")]
    api = client(home)
    return [*_dags(api), *_plugins(api), *_pools(api)]


def _dags(api: AirflowApi) -> Iterator[Finding]:
    dags = api.list_dags()
    errors = api.import_errors()
    for error in errors:
        yield Finding("fail", error["filename"], error["stack_trace"].strip().splitlines()[-1], "fix the file; Airflow reloads it")
    if not errors:
        yield Finding("ok", "DAG files", f"{len(dags)} DAGs, no import errors")
    for dag in dags:
        if dag["is_paused"]:
            waits_for_assets = "asset" in (dag.get("timetable_summary") or "").lower()
            text = (
                "is paused: events of its assets are lost until it is unpaused (the sweep finds their files)"
                if waits_for_assets
                else "is paused"
            )
            yield Finding("warn", dag["dag_id"], text, "unpause it in the UI if this is not intended")


def _plugins(api: AirflowApi) -> Iterator[Finding]:
    errors = api.plugin_import_errors()
    for error in errors:
        yield Finding(
            "fail", error["source"], error["error"].strip().splitlines()[-1], "fix the plugin, then: aisleflow down, aisleflow up"
        )
    if not errors and "aisleflow" not in api.plugins():
        yield Finding(
            "fail", "plugins", "the plugin aisleflow is not loaded: no alert is sent when a task fails",
            "let AIRFLOW__CORE__PLUGINS_FOLDER name the folder plugins/, then: aisleflow down, aisleflow up",
        )  # fmt: skip
    elif not errors:
        yield Finding("ok", "plugins", "loaded without errors")


def _pools(api: AirflowApi) -> Iterator[Finding]:
    from include.orchestration.pools import POOLS

    present = api.pools()
    wrong = [name for name, slots in POOLS.items() if present.get(name) != slots]
    for name in wrong:
        yield Finding("fail", f"pool {name}", f"has {present.get(name, 'no')} slots, should have {POOLS[name]}", "aisleflow up")
    if not wrong:
        yield Finding("ok", "pools", f"{len(POOLS)} present")
