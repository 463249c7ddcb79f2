"""The local inbox: the default destination of alerts. One JSON file each, below ``<home>/inbox``, newest last."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

from include import clock
from include.files import replace_text

#: Alerts kept; older ones are removed.
MAX_ALERTS = 500


def folder(home: Path) -> Path:
    """Return the inbox of an installation."""
    return home / "inbox"


def put(home: Path, title: str, body: str, severity: str) -> Path:
    """Put an alert into the inbox; it is renamed into it, so that no reader sees a partial file."""
    inbox = folder(home)
    inbox.mkdir(parents=True, exist_ok=True)
    at = clock.now()
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60]
    path = inbox / f"{at:%Y%m%dT%H%M%S%f}--{slug or 'alert'}--{uuid.uuid4().hex[:6]}.json"
    replace_text(path, json.dumps({"at": at.isoformat(), "severity": severity, "title": title, "body": body}, ensure_ascii=False, indent=2))
    for old in sorted(inbox.glob("*.json"))[:-MAX_ALERTS]:
        old.unlink(missing_ok=True)
    return path


def read(home: Path, limit: int = MAX_ALERTS) -> list[dict[str, Any]]:
    """Return the newest alerts, newest first: ``number`` (1 = the newest), ``at``, ``severity``, ``title``, ``body``, ``file``."""
    alerts: list[dict[str, Any]] = []
    for path in sorted(folder(home).glob("*.json"), reverse=True)[:limit]:
        try:
            content = json.loads(path.read_text())
        except FileNotFoundError:
            continue  # another process has just removed it
        alerts.append({"number": len(alerts) + 1, **content, "file": path.name})
    return alerts
