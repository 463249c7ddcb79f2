"""Which alerts were sent: one small file per piece of news in the storage root, so that all workers know, and without a warehouse."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from include import clock
from include.staging.storage import Storage

FOLDER = "alerts"
KEPT_FOR = timedelta(days=90)


class SentAlerts:
    """Remembers keys of alerts. Two that ask at the same moment may both be told no: an alert may come twice, never not at all."""

    def __init__(self, storage: Storage) -> None:
        """``storage`` is the root of the staged files; the memory is its folder ``alerts``."""
        self._storage = storage

    def sent_at(self, key: str) -> datetime | None:
        """Return when an alert was sent; ``None``: not that anybody remembers."""
        try:
            content = json.loads(self._storage.read(self._path(key)))
            return datetime.fromisoformat(content["sent_at"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # half a file, left by a crash: sending twice is better than not at all

    def was_sent(self, key: str, within: timedelta = KEPT_FOR) -> bool:
        """Say whether an alert was sent within a time."""
        at = self.sent_at(key)
        return at is not None and abs(clock.now() - at) < within

    def record(self, key: str, title: str) -> None:
        """Note that an alert was sent now."""
        self._storage.write(self._path(key), json.dumps({"sent_at": clock.now().isoformat(), "key": key, "title": title}).encode())

    def prune(self) -> int:
        """Forget what was sent longer ago than :data:`KEPT`; return how many."""
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
