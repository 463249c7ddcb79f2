"""The cooldown: pairs of stores that were compared lately and did not match are not compared again for some days.

A round names stores and others: each of the stores was compared with each of the others. So a night of a thousand stores is one
short entry instead of half a million pairs. Rounds know stores by their ids, not by keys of one warehouse.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from include.staging.storage import Storage

log = logging.getLogger(__name__)

FOLDER = "groups"


@dataclass(frozen=True, slots=True)
class Round:
    """Stores that were compared with others at one time."""

    at: datetime
    stores: tuple[str, ...]
    others: tuple[str, ...]


def cooled_pairs(rounds: Iterable[Round], store_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Return which pairs are in cooldown: a symmetric matrix in the order of ``store_ids``, true on the diagonal.

    >>> at = datetime(2026, 11, 18)
    >>> cooled_pairs([Round(at, ("a",), ("b", "c"))], ["a", "b", "c"]).astype(int).tolist()
    [[1, 1, 1], [1, 1, 0], [1, 0, 1]]
    """
    place = {store_id: number for number, store_id in enumerate(store_ids)}
    cooled = np.eye(len(store_ids), dtype=np.bool_)
    for one in rounds:
        rows = [place[store_id] for store_id in one.stores if store_id in place]
        columns = [place[store_id] for store_id in one.others if store_id in place]
        cooled[np.ix_(rows, columns)] = True
        cooled[np.ix_(columns, rows)] = True
    return cooled


def rounds_of(pairs: NDArray[np.bool_], store_ids: Sequence[str], at: datetime) -> list[Round]:
    """Return the rounds that cover exactly these pairs (symmetric, false on the diagonal): one for all stores with the same others.

    >>> rounds_of(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=bool), ["a", "b", "c"], datetime(2026, 11, 18))
    [Round(at=datetime.datetime(2026, 11, 18, 0, 0), stores=('a',), others=('a', 'b', 'c'))]
    """
    closed = pairs | np.eye(len(store_ids), dtype=np.bool_)  # stores compared with one another have the same others then
    todo = pairs.copy()
    rounds = []
    for row in sorted(range(len(store_ids)), key=lambda row: -int(closed[row].sum())):
        if todo[row].any():
            same = (closed == closed[row]).all(axis=1)
            todo[same, :] = todo[:, same] = False
            stores, others = ([store_ids[int(place)] for place in np.flatnonzero(chosen)] for chosen in (same, closed[row]))
            rounds.append(Round(at, tuple(stores), tuple(others)))
    return rounds


class CooldownFile:
    """The rounds of one retailer, in ``groups/cooldown-<retailer>.json`` below the storage root.

    One writer at a time: the caller holds the retailer's lock on groups. The file is replaced as a whole.
    """

    def __init__(self, storage: Storage, retailer: str, days: float) -> None:
        """``days``: a pair is compared again so many days after its last comparison."""
        self._storage, self._kept_for = storage, timedelta(days=days)
        self.path = f"{FOLDER}/cooldown-{retailer}.json"

    def read(self, now: datetime) -> list[Round]:
        """Return the rounds that have not expired. An unreadable file counts as empty and is reported: its pairs are compared again."""
        try:
            rounds = msgspec.json.decode(self._storage.read(self.path), type=list[Round])
            return [one for one in rounds if timedelta(0) <= now - one.at < self._kept_for]
        except FileNotFoundError:
            return []
        except (msgspec.DecodeError, TypeError) as error:  # TypeError: a time without its offset
            log.warning("%s is damaged (%s): it starts empty, and every pair is compared again", self._storage.full(self.path), error)
            return []

    def add(self, rounds: Sequence[Round], now: datetime) -> None:
        """Add rounds and prune expired ones."""
        self._storage.write(self.path, msgspec.json.encode([*self.read(now), *rounds]))

    def clear(self) -> None:
        """Forget all pairs: they are compared again by the next pass."""
        self._storage.remove(self.path)
