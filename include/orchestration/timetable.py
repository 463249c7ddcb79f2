"""Airflow's timetables of scheduled DAGs, all in Melbourne time, so that a night's partition key is its Melbourne date.

The times of the night itself are in ``include/model/timetable.py``.
"""

from __future__ import annotations

from datetime import time, timedelta

from airflow.sdk import CronPartitionTimetable, CronTriggerTimetable

_ZONE = "Australia/Melbourne"
#: Unpausing must not start a run. With ``False``, the default, Airflow 3.3 still runs the last tick if its age is less than
#: a tenth of the interval (2.4 hours for a nightly DAG), as with ``None``; no tick is younger than zero.
_NEVER_AT_ONCE = timedelta(0)


def nightly(when: time) -> CronPartitionTimetable:
    """Return the timetable of a DAG that runs every night; the partition key is the night, ``YYYY-MM-DD``."""
    return CronPartitionTimetable(f"{when.minute} {when.hour} * * *", timezone=_ZONE, run_immediately=_NEVER_AT_ONCE, key_format="%Y-%m-%d")


def weekly(day: str, hour: int) -> CronTriggerTimetable:
    """Return the timetable of a DAG that runs once a week; ``day`` as in cron: ``MON``."""
    return CronTriggerTimetable(f"0 {hour} * * {day}", timezone=_ZONE, run_immediately=_NEVER_AT_ONCE)
