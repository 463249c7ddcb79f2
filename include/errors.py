"""The two families of errors, which alone decide about retries.

Every error states what happened, where, and what to do next. ``TransientError`` may succeed when
retried; ``TerminalError`` will fail again, so an operator must act. They are translated for
Airflow in ``include/orchestration/airflow_errors.py``.
"""

from __future__ import annotations

from collections.abc import Sequence


class AisleflowError(Exception):
    """Base class of this project's errors. The message is an interface: it is tested."""


class TransientError(AisleflowError):
    """May succeed when retried: a timeout, a 429, a 5xx, a lock that was not free."""


class TerminalError(AisleflowError):
    """Fails again when retried: an operator must act, and the message states how."""


class ConfigurationError(TerminalError):
    """A setting is unknown, missing or has a value that cannot be used."""


class NeedsPersonError(AisleflowError):
    """Nothing is broken, but the next step is an operator's: held data, a bot wall (exit code 3)."""


def raise_together(errors: Sequence[AisleflowError]) -> None:
    """Raise the errors of parts of one work: a single one as it is, several as one that lists them. Without any, do nothing.

    Raises:
        TransientError: all of them are worth trying again.
        TerminalError: at least one of them is not.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        kind = TransientError if all(isinstance(error, TransientError) for error in errors) else TerminalError
        raise kind("\n".join(dict.fromkeys(map(str, errors)))) from errors[0]
