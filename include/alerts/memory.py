"""Records of the alerts that were sent while the warehouse was away: small files in the storage root, shared by all workers."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from include import clock
from include.alerts.alerts import Alert
from include.staging.storage import Storage, StorageUnavailable

FOLDER = "alerts"


class SentAlerts:
    """One record per cause. Where the storage root is away too, an alert may be sent more than once, but is never lost."""

    def __init__(self, storage: Storage) -> None:
        """``storage`` is the root of the staged files; the records are in its folder ``alerts``."""
        self._storage = storage

    def claim(self, alert: Alert, repeat: timedelta) -> bool:
        """Record that an alert is being sent; return False if it was sent less than ``repeat`` ago. Of two processes one gets True."""
        now = clock.now()
        record = {
            "alert_key": alert.key, "severity": alert.severity, "retailer": alert.retailer, "source": alert.source, "title": alert.title, "body": alert.body,
            "link": alert.link, "told_at": now.isoformat(), "last_at": now.isoformat(),
        }  # fmt: skip
        path = self._path(alert.key)
        try:
            if self._storage.create(path, json.dumps(record).encode()):
                return True
            known = self._read(path)
            is_repeated = known is None or abs(now - known["told_at"]) >= repeat
            told_at = now if known is None or is_repeated else known["told_at"]
            self._storage.write(path, json.dumps(record | {"told_at": told_at.isoformat()}).encode())
        except StorageUnavailable:
            return True
        return is_repeated

    def forget(self, key: str) -> None:
        """Delete the record of a cause: its next alert is sent."""
        try:
            self._storage.remove(self._path(key))
        except StorageUnavailable:
            return  # the record stays; the next claim or sweep finds it

    def records(self) -> list[dict[str, Any]]:
        """Return every record; ``told_at`` and ``last_at`` (the last time that its cause was met) are instants."""
        folder, filesystem = self._storage.full(FOLDER), self._storage.filesystem
        names = sorted(f"{FOLDER}/{str(path).rsplit('/', 1)[1]}" for path in filesystem.glob(f"{folder}/*.json"))
        return [record for name in names if (record := self._read(name)) is not None]

    def _read(self, path: str) -> dict[str, Any] | None:
        """Return a record; ``None`` without one, or for one that was cut short by a crash: send again rather than lose the alert."""
        try:
            record: dict[str, Any] = json.loads(self._storage.read(path))
            return record | {name: datetime.fromisoformat(record[name]) for name in ("told_at", "last_at")}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def _path(key: str) -> str:
        return f"{FOLDER}/{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
