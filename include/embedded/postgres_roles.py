"""Who may enter the embedded PostgreSQL, and as whom.

Each database belongs to a role of its own, which owns its schemas and no more: ``aisleflow`` the warehouse, ``airflow`` Airflow's metadata. The
account of the operating system that runs the installation enters as one of them, or as the superuser, without a password:
the kernel tells the server who asks (``peer``). Readers enter the warehouse alone, with their password.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import TerminalError

SUPERUSER = "postgres"
AIRFLOW, WAREHOUSE = "airflow", "warehouse"
#: Database → the role that owns it and is used for it.
OWNERS = {AIRFLOW: "airflow", WAREHOUSE: "aisleflow"}
READER = "aisleflow_reader"

_HBA = f"""\
# Rewritten at every start. Put rules of your own into pg_hba_local.conf: they come first.
include_if_exists pg_hba_local.conf
# type  database     user            method
local   all          {SUPERUSER:15} peer map=installation
local   {AIRFLOW:12} {OWNERS[AIRFLOW]:15} peer map=installation
local   all          {OWNERS[WAREHOUSE]:15} peer map=installation
local   all          +{READER:14} scram-sha-256
"""

#: Functions that every user may call by default: they could hold the locks of the crawl and the ingestion, or fill the disk.
_KEPT_FROM_READERS = """
SELECT p.oid::regprocedure::text AS name, p.proname LIKE '%advisory%' AS is_lock
  FROM pg_proc AS p
 WHERE p.pronamespace = 'pg_catalog'::regnamespace
   AND (p.proname LIKE 'pg\\_%advisory%' OR p.proname LIKE 'lo\\_%' OR p.proname IN ('loread', 'lowrite'))
"""


def write_authentication(data: Path, account: pwd.struct_passwd | None) -> list[Path]:
    """Write who may connect as which role; return the files. ``account`` is the server's, if it is another than the caller's."""
    users = {pwd.getpwuid(os.geteuid()).pw_name, "root"} | ({account.pw_name} if account else set())
    roles = [SUPERUSER, *OWNERS.values()]
    lines = [f'installation "{user}" {role}' for user in sorted(users) for role in roles]
    files = {"pg_hba.conf": _HBA, "pg_ident.conf": "# Rewritten at every start.\n" + "\n".join(lines) + "\n"}
    for name, text in files.items():
        (data / name).write_text(text)
        (data / name).chmod(0o600)
    return [data / name for name in files]


def prepare_databases(superuser_url: str) -> None:
    """Create the roles and the two databases, each closed to all others; safe to repeat.

    Args:
        superuser_url: of the database ``template1``, from which databases are copied with the rights of their functions.

    Raises:
        TerminalError: a database belongs to another role, because an older version of the project created it.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role, login in [*((owner, "LOGIN") for owner in OWNERS.values()), (READER, "NOLOGIN")]:
            if role not in roles:
                connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), sql.SQL(login)))
        _close_functions(connection)
        owners: dict[str, str] = dict(connection.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database").fetchall())
        for name, owner in OWNERS.items():
            if name not in owners:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
            elif owners[name] != owner:
                raise TerminalError(
                    f"the database {name} belongs to the role {owners[name]}, not to {owner}: an older version created it. "
                    "Set AISLEFLOW_HOME to a new folder, and import its store-days there (`aisleflow import <old home>/storage/archive`)."
                )
        for name in (*OWNERS, SUPERUSER, "template1"):
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(WAREHOUSE), sql.Identifier(READER)))


def _close_functions(connection: psycopg.Connection) -> None:
    for name, is_lock in connection.execute(_KEPT_FROM_READERS).fetchall():
        function = sql.SQL(name)
        connection.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(function))
        if is_lock:
            owners = sql.SQL(", ").join(map(sql.Identifier, OWNERS.values()))
            connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, owners))
