"""Keeps the components of one home running: starts what died, and tells an operator when that does not help.

``aisleflow up --foreground`` runs it, by hand or as a systemd service.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from include.errors import AisleflowError

log = logging.getLogger(__name__)

CHECK_SECONDS = 5
FIRST_WAIT_SECONDS = 5
MAX_WAIT_SECONDS = 300
#: After this time without a death, earlier ones no longer count.
STABLE_SECONDS = 600
#: An alert is sent from this failure on: a restart usually repairs earlier ones.
TELL_AT = 3


@dataclass
class Supervisor:
    """Watches components. ``tell`` gets (title, body, is_recovered) once when restarts do not help, and once when they did."""

    find_dead: Callable[[], Sequence[str]]
    start: Callable[[], object]
    tell: Callable[[str, str, bool], object]
    progress: Callable[[str], object]
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    _deaths: int = field(default=0, init=False)
    _started_at: float = field(default=0.0, init=False)  # the last attempt
    _is_told: bool = field(default=False, init=False)

    def run(self) -> None:
        """Watch until an exception ends it (Ctrl-C, a termination signal)."""
        while True:
            self.sleep(CHECK_SECONDS)
            self.check()

    def check(self) -> None:
        """Start what died, after a wait that doubles with every death."""
        if dead := list(self.find_dead()):
            self._restart(dead)
        elif self._deaths and self.monotonic() - self._started_at >= STABLE_SECONDS:
            if self._is_told:
                self.tell("recovered: Aisleflow's services run again", f"No component died for {STABLE_SECONDS // 60} minutes.", True)
            self._deaths, self._is_told = 0, False

    def _restart(self, dead: Sequence[str]) -> None:
        self._deaths += 1
        names = ", ".join(dead)
        wait = min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (self._deaths - 1))
        self.progress(f"{names} died (death {self._deaths}): starting again in {wait} seconds")
        self.sleep(wait)
        error: AisleflowError | None = None
        try:
            self.start()
        except AisleflowError as failure:
            error = failure
            log.error("could not start %s: %s", names, failure)
        self._started_at = self.monotonic()
        if self._deaths >= TELL_AT and not self._is_told:
            self.tell(
                f"critical: {names} died {self._deaths} times",
                f"{'It does not start again: ' + str(error) if error else 'It was started again each time, and dies again.'}\n\n"
                "What to do: `aisleflow status` names the log of each component, `aisleflow doctor` what is wrong. It is tried again meanwhile, "
                f"at most {MAX_WAIT_SECONDS // 60} minutes apart.",
                False,
            )
            self._is_told = True
