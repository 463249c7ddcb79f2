"""A lock between transactions that change prices and readers of changes, which makes ``changed_at`` a safe cursor.

A publication reads the clock (``changed_at``) before it commits. A reader in between could see the rows of another publication
with a later time, use that as its cursor and miss the slower publication. So every transaction that writes ``core.price.changed_at``,
or a SKU's texts, product or barcode (triggers move ``core.sku.sku_changed_at``), or the groups of stores (triggers write ``core.inference_change``), calls :func:`announce_price_change` first, before it reads the clock. :func:`wait_for_price_changes` waits until all of them have ended
and blocks new ones while a reader takes its snapshot: every row missing in the snapshot then has a later time.
"""

from __future__ import annotations

from include import clock
from include.warehouse.engine import Connection, lock

_NAME = "price-changes"


def announce_price_change(connection: Connection) -> None:
    """Announce that this transaction writes ``changed_at``. Call it first, before other locks (but for the one on groups, which no publication takes) and before reading the clock.

    The lock is shared: such transactions do not wait for each other. The clock of the session is read again once it is held, for triggers.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", (f"aisleflow:{_NAME}",))
    connection.execute("SELECT set_config('aisleflow.now', %s, true)", (clock.now().isoformat(),))


def wait_for_price_changes(connection: Connection) -> None:
    """Wait until no transaction changes prices, and block new ones until this transaction ends; keep it short."""
    lock(connection, _NAME)
