"""A sign of life for an outside monitor ("dead man's switch"), which reports when it stays away.

It is sent by a task, so it proves scheduler, worker and warehouse at once: whatever is down, the monitor hears nothing.
"""

from __future__ import annotations

import logging

import requests

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10


def beat(url: str) -> bool:
    """Request the monitor's address once; return whether it answered with success. A failure is logged and raises nothing."""
    try:
        response = requests.get(url, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        log.warning("the monitor was not reached (%s): it may report that this installation is down", type(error).__name__)
        return False
    if not response.ok:
        log.warning("the monitor answered with status %s: check its address with `aisleflow alerts address`", response.status_code)
    return response.ok
