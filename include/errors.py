"""The two families of errors, and nothing else that decides about a retry.

Every error says what happened, where, and what to do next. ``TransientError`` is worth trying
again; ``TerminalError`` will fail the same way next time, so a person has to act. Airflow learns
of the difference only at the border (``include/orchestration/border.py``).
"""

from __future__ import annotations

from collections.abc import Sequence


class AisleflowError(Exception):
    """Anything this project raises on purpose. The message is an interface: it is tested."""


class TransientError(AisleflowError):
    """Worth trying again as it is: a timeout, a 429, a 5xx, a lock that was not free."""


class TerminalError(AisleflowError):
    """Fails the same way next time: a person has to act, and the message says how."""


class ConfigurationError(TerminalError):
    """A setting is unknown, missing or has a value that cannot be used."""


class NeedsPersonError(AisleflowError):
    """Nothing is broken, but the next step is a person's: held data, a bot wall (exit code 3)."""


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
