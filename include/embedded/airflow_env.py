"""The environment variables of Airflow's components, and their secrets.

There is no configuration file to edit: only the environment counts, and other ``AIRFLOW__`` settings of the
caller (mail, remote logs) pass through unless this module sets them itself.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from include.config import PREFIX, settings
from include.embedded import ports
from include.embedded.layout import PROJECT, Layout, locked, write_private
from include.embedded.postgres import airflow_metadata_urls, warehouse_url

#: User name → role of Airflow's UI (SimpleAuthManager).
USERS = {"admin": "admin", "op": "op", "viewer": "viewer"}

#: The Airflow connection of the warehouse.
WAREHOUSE_CONNECTION = "aisleflow_warehouse"

#: The caller's connection for alerts. ``up`` keeps its address with the installation (``include/alerts/address.py``); components do not get it.
ALERTS_VARIABLE = "AIRFLOW_CONN_AISLEFLOW_ALERTS"

PARALLELISM = 8


def environment(home: Path) -> dict[str, str]:
    """Return the complete environment of every Airflow component of ``home`` (and of its sandbox).

    Starts PostgreSQL when it is not running.

    Raises:
        TerminalError: this home has no ports yet (:func:`include.embedded.ports.choose`).
    """
    layout = Layout(home)
    keys = _secrets(layout)
    sync_url, async_url = airflow_metadata_urls(home)
    warehouse = settings().warehouse_url or warehouse_url(home)
    base_url, known_ports = ports.ui_url(home), ports.known(home)
    assert known_ports is not None
    airflow = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(PARALLELISM),
        "CORE__MAX_MAP_LENGTH": "2000",  # one mapped task per store; Woolworths' first night has 1,131
        "CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",  # the pools have to exist first
        "CORE__DAG_DISCOVERY_SAFE_MODE": "False",  # a file without the word "airflow" would be skipped
        "CORE__EXECUTION_API_SERVER_URL": f"{base_url}/execution/",
        "CORE__HOSTNAME_CALLABLE": "include.embedded.layout.hostname",
        "CORE__FERNET_KEY": keys["fernet_key"],
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(layout.passwords_file),
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "DATABASE__SQL_ALCHEMY_CONN": sync_url,
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": async_url,
        "API__BASE_URL": base_url,
        "API__HOST": ports.HOST,
        "API__PORT": str(known_ports.api),
        "API__SECRET_KEY": keys["api_secret_key"],
        "API__INSTANCE_NAME": "Aisleflow",
        "API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",  # a killed task is detected after one minute instead of five
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "LOGGING__WORKER_LOG_SERVER_PORT": str(known_ports.logs),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(known_ports.logs),  # the same files, the same server
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",  # Airflow sets them itself, regardless of the umask
        "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
    }
    inherited = {
        name: value for name, value in os.environ.items() if name not in {"AIRFLOW_CONFIG", "PYTHONDONTWRITEBYTECODE", ALERTS_VARIABLE}
    }
    return {
        **inherited,
        **{f"AIRFLOW__{name}": value for name, value in airflow.items()},
        f"AIRFLOW_CONN_{WAREHOUSE_CONNECTION.upper()}": connection_from_url(warehouse),
        "AIRFLOW_HOME": str(layout.airflow_home),
        f"{PREFIX}HOME": str(layout.home),
        f"{PREFIX}WAREHOUSE_URL": warehouse,  # a task never starts PostgreSQL
        "GX_ANALYTICS_ENABLED": "false",
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), ports.HOST, "localhost"])),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
    }


def connection_from_url(url: str) -> str:
    """Return a libpq URL as the JSON of an Airflow connection; :func:`url_from_connection` is the inverse.

    >>> connection_from_url("postgresql://postgres@/warehouse?host=/tmp/s")
    '{"conn_type": "postgres", "host": "/tmp/s", "login": "postgres", "schema": "warehouse"}'
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    fields = {"host": "host", "login": "user", "password": "password", "schema": "dbname"}
    connection: dict[str, object] = {"conn_type": "postgres"}
    connection |= {field: parts.pop(name) for field, name in fields.items() if name in parts}
    if port := parts.pop("port", None):
        connection["port"] = int(port)
    return json.dumps(connection | ({"extra": parts} if parts else {}))


def url_from_connection(connection: str) -> str:
    """Return the libpq URL of a connection's JSON.

    >>> url_from_connection(connection_from_url("postgresql://u:p%40ss@db.example:5433/w?sslmode=require"))
    'postgresql://u:p%40ss@/w?host=db.example&port=5433&sslmode=require'
    """
    given = json.loads(connection)
    login = quote(given.get("login", ""), safe="")
    password = f":{quote(given['password'], safe='')}" if given.get("password") else ""
    query = {"host": given.get("host"), "port": given.get("port"), **(given.get("extra") or {})}
    parameters = "&".join(f"{name}={quote(str(value), safe='/')}" for name, value in query.items() if value)
    return f"postgresql://{login}{password}@/{quote(given.get('schema', ''), safe='')}?{parameters}"


def passwords(home: Path) -> dict[str, str]:
    """Return user name → password of Airflow's UI; generated once, stored in ``passwords.json`` (0600)."""
    layout = Layout(home)
    layout.create()
    with locked(layout.run / "secrets.lock"):
        known: dict[str, str] = json.loads(layout.passwords_file.read_text()) if layout.passwords_file.exists() else {}
        missing = {user: secrets.token_urlsafe(12) for user in USERS if user not in known}
        if missing:
            write_private(layout.passwords_file, json.dumps(known | missing, indent=2) + "\n")
        return known | missing


def _secrets(layout: Layout) -> dict[str, str]:
    layout.create()
    with locked(layout.run / "secrets.lock"):
        if not layout.secrets_file.exists():
            drawn = {
                "jwt_secret": secrets.token_urlsafe(64),
                "api_secret_key": secrets.token_urlsafe(32),
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            }
            write_private(layout.secrets_file, json.dumps(drawn, indent=2) + "\n")
        keys: dict[str, str] = json.loads(layout.secrets_file.read_text())
        return keys
