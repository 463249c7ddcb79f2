"""Records sent alerts as small files in the storage root: shared by all workers, independent of the warehouse."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from include import clock
from include.staging.storage import Storage

FOLDER = "alerts"
KEPT_FOR = timedelta(days=90)


class SentAlerts:
    """Keys of sent alerts. Two concurrent checks may both return False: an alert may be sent twice but is never lost."""

    def __init__(self, storage: Storage) -> None:
        """``storage`` is the root of the staged files; the records are in its folder ``alerts``."""
        self._storage = storage

    def sent_at(self, key: str) -> datetime | None:
        """Return when an alert was sent; ``None`` if there is no record."""
        try:
            content = json.loads(self._storage.read(self._path(key)))
            return datetime.fromisoformat(content["sent_at"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # truncated file after a crash: send again rather than lose the alert

    def was_sent(self, key: str, within: timedelta = KEPT_FOR) -> bool:
        """Return whether an alert was sent within a time."""
        at = self.sent_at(key)
        return at is not None and abs(clock.now() - at) < within

    def record(self, key: str, title: str) -> None:
        """Record that an alert was sent now."""
        self._storage.write(self._path(key), json.dumps({"sent_at": clock.now().isoformat(), "key": key, "title": title}).encode())

    def prune(self) -> int:
        """Delete records older than :data:`KEPT_FOR`; return their number."""
        oldest = clock.now() - KEPT_FOR
        filesystem, folder = self._storage.filesystem, self._storage.full(FOLDER)
        removed = 0
        for path in filesystem.glob(f"{folder}/*.json"):
            name = f"{FOLDER}/{str(path).rsplit('/', 1)[1]}"
            try:
                at = datetime.fromisoformat(json.loads(self._storage.read(name))["sent_at"])
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError):
                at = oldest - KEPT_FOR
            if at < oldest:
                self._storage.remove(name)
                removed += 1
        return removed

    @staticmethod
    def _path(key: str) -> str:
        return f"{FOLDER}/{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
