"""Separate process that prints the queue of every task of the DAG files as JSON.

python tests/compose/dag_queues.py DAG_FOLDER
"""

from __future__ import annotations

import json
import sys


def main(folder: str) -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(folder)
    assert not bag.import_errors, bag.import_errors
    print(json.dumps({f"{dag_id}.{task.task_id}": task.queue for dag_id, dag in bag.dags.items() for task in dag.tasks}))


if __name__ == "__main__":
    main(sys.argv[1])
