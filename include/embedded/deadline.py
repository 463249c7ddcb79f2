"""A deadline that looks at progress: what still moves on a busy machine is not given up because of the clock alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


class Deadline:
    """Over when nothing has moved for ``quiet_seconds``."""

    def __init__(self, quiet_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds of a monotonic clock."""
        self.quiet_seconds = quiet_seconds
        self._clock = clock
        self._moved_at = clock()
        self._seen: object = None

    def is_over(self, seen: object) -> bool:
        """Return whether ``seen``, e.g. the number of finished parts, has not changed for ``quiet_seconds``."""
        if seen != self._seen:
            self._seen, self._moved_at = seen, self._clock()
            return False
        return self._clock() - self._moved_at > self.quiet_seconds


def processor_seconds(process_ids: list[int]) -> int:
    """Return the whole seconds of processor time that processes have used, those that ended meanwhile left out."""
    used = 0.0
    for process_id in process_ids:
        try:
            times = psutil.Process(process_id).cpu_times()
        except psutil.Error:
            continue
        used += times.user + times.system
    return int(used)
