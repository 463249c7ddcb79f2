"""Runs in a separate process: prints Airflow's view of the DAG files as JSON.

    python tests/project/dag_facts.py DAG_FOLDER

A separate process, because Airflow reads its configuration once, when it is first imported, and because only a
fresh process shows what the parsing of a file imports.
"""

from __future__ import annotations

import builtins
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any
from unittest import mock

#: Packages that import slowly or do not belong into a DAG file.
HEAVY = {
    "pandas", "numpy", "scipy", "great_expectations", "sqlalchemy", "alembic", "psycopg", "psycopg2", "requests", "s3fs", "fsspec", "botocore",
}  # fmt: skip


def heavy_imports(path: Path, own: set[str]) -> list[str]:
    """Execute a DAG file and return ``importer: imported`` for each heavy package that a module of this project imports.

    Airflow imports some of them itself, so a look at ``sys.modules`` would not do.
    """
    found = []
    true_import = builtins.__import__

    def watching(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        importer = (globals or {}).get("__name__", "")
        if level == 0 and name.partition(".")[0] in HEAVY and (importer == path.stem or importer.partition(".")[0] in own):
            found.append(f"{importer}: {name}")
        return true_import(name, globals, locals, fromlist, level)

    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        del sys.modules[name]
    builtins.__import__ = watching
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    finally:
        builtins.__import__ = true_import
    return found


def task_facts(task: Any) -> dict[str, Any]:
    arguments = getattr(task, "partial_kwargs", {})
    return {
        "downstream": sorted(task.downstream_task_ids),
        "is_mapped": type(task).__name__ == "DecoratedMappedOperator" or type(task).__name__ == "MappedOperator",
        "map_index_template": arguments.get("map_index_template") or getattr(task, "map_index_template", None),
        "owner": task.owner,
        "pool": task.pool,
        "retries": task.retries,
        "timeout_seconds": task.execution_timeout.total_seconds() if task.execution_timeout else None,
        "outlets": [outlet.name for outlet in getattr(task, "outlets", None) or []],
    }


def starts_when_unpaused(dag: Any) -> bool:
    """Return whether the DAG runs immediately when it is unpaused a minute after a tick, by the timetable that the scheduler uses."""
    import pendulum
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables import trigger
    from airflow.timetables.base import TimeRestriction

    from include import clock

    timetable = coerce_to_core_timetable(dag.timetable)
    if not isinstance(timetable, trigger.CronTriggerTimetable):
        return False
    now = timetable._align_to_prev(pendulum.instance(clock.now())).add(minutes=1)
    with mock.patch.object(trigger, "utcnow", return_value=now):
        first = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=TimeRestriction(None, None, False))
    assert first
    return bool(first.run_after <= now)


def main(folder: Path) -> None:
    import airflow.sdk  # noqa: F401 - the floor: what comes with it is not counted
    from airflow.dag_processing.dagbag import DagBag

    files = sorted(folder.glob("[!_]*.py"))
    imports = {path.name: heavy_imports(path, {"include", "dags"}) for path in files}
    bag = DagBag(str(folder))
    dags = {
        dag_id: {
            "file": Path(dag.fileloc).name,
            "doc": dag.doc_md or "",
            "tags": sorted(dag.tags),
            "schedule": type(dag.timetable).__name__,
            "catchup": dag.catchup,
            "start_date": str(dag.start_date) if dag.start_date else None,
            "starts_when_unpaused": starts_when_unpaused(dag),
            "max_active_runs": dag.max_active_runs,
            "params": sorted(dag.params),
            "tasks": {task.task_id: task_facts(task) for task in dag.tasks},
        }
        for dag_id, dag in sorted(bag.dags.items())
    }
    print(json.dumps({"import_errors": bag.import_errors, "files": [path.name for path in files], "heavy_imports": imports, "dags": dags}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
