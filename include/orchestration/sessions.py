"""Reads an operator's browser session in tasks: from the Airflow connection ``aisleflow_session_<retailer>``, its secrets masked in logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

if TYPE_CHECKING:
    from include.crawling.sessions import Session


def session_of(retailer: str) -> Session | None:
    """Return the stored session, from Airflow or from this machine; ``None`` if there is no valid one."""
    from include.config import settings
    from include.crawling import sessions

    try:
        connection = Connection.get(sessions.connection_id(retailer))
        from_airflow = sessions.read(connection.password or "", f"the connection {connection.conn_id}")
    except AirflowNotFoundException:
        from_airflow = None
    found = sessions.in_force(retailer, from_airflow, sessions.find(settings().home, retailer))
    if found is None:
        return None
    mask_secret(found.cookie)
    for pair in found.cookie.split(";"):
        if len(value := pair.partition("=")[2].strip()) > 4:
            mask_secret(value)
    return found
