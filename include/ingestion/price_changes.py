"""Who changes prices says so, and who reads what changed can wait for them: what makes ``changed_at`` a safe cursor.

A publication takes its time (``changed_at``) before it commits. A reader that came in between would see the rows of a quicker
publication with a later time, take that for its cursor, and never hear of the slower one. So every transaction that writes
``core.price.changed_at`` calls :func:`announce_price_change` first, before it reads the clock. :func:`wait_for_price_changes` waits until
all of them have ended, for the moment in which a reader takes its snapshot: whatever the snapshot does not show has a later time.
"""

from __future__ import annotations

from include.warehouse.engine import Connection, lock

_NAME = "price-changes"


def announce_price_change(connection: Connection) -> None:
    """Announce that this transaction writes ``changed_at``. First of all in it: before other locks and before its time is taken.

    Any number of transactions may at once; none waits for another.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", (f"aisleflow:{_NAME}",))


def wait_for_price_changes(connection: Connection) -> None:
    """Wait until nobody changes prices, and keep it so until this transaction ends: make it short."""
    lock(connection, _NAME)
