"""Where the alerts of one installation go: ``<home>/alerts.json``, readable by its owner only.

The file is read again for every alert, so a new address counts at once, in running tasks too. An installation without a home of its own
(Celery, Kubernetes) has no such file: there the Airflow connection ``aisleflow_alerts`` names the address.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from include.errors import ConfigurationError
from include.files import replace_text

#: The local inbox as an Apprise URL.
INBOX_URL = "inbox://home"


@dataclass(frozen=True, slots=True)
class AlertAddress:
    """Apprise URLs that every alert goes to, and the address that an outside monitor watches (``None``: no monitor)."""

    urls: tuple[str, ...] = (INBOX_URL,)
    heartbeat_url: str | None = None


def read_address(home: Path) -> AlertAddress | None:
    """Return the address of an installation; ``None`` if it has none.

    Raises:
        ConfigurationError: the file is damaged.
    """
    try:
        known = json.loads(_path(home).read_text())
        return AlertAddress(tuple(str(url) for url in known["urls"]), known["heartbeat_url"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{_path(home)} is damaged ({type(error).__name__}). Write it anew: aisleflow alerts address URL, or inbox://home for the local inbox."
        ) from error


def save_address(home: Path, address: AlertAddress) -> None:
    """Keep an address, mode 600: Apprise URLs hold passwords."""
    home.mkdir(parents=True, exist_ok=True)
    replace_text(_path(home), json.dumps(asdict(address), indent=2) + "\n", mode=0o600)


def urls_of_connection(connection: str) -> Sequence[str]:
    """Return the Apprise URLs of an Airflow connection in its JSON form.

    Raises:
        ConfigurationError: it is none, or names no URL.

    >>> urls_of_connection('{"conn_type": "apprise", "extra": {"config": {"path": "inbox://home", "tag": "all"}}}')
    ('inbox://home',)
    """
    try:
        extra = json.loads(connection)["extra"]
        config = (json.loads(extra) if isinstance(extra, str) else extra)["config"]
        urls = tuple(str(entry["path"]) for entry in (config if isinstance(config, list) else [config]))
    except (ValueError, KeyError, TypeError):
        urls = ()
    if not urls:
        raise ConfigurationError(
            "AIRFLOW_CONN_AISLEFLOW_ALERTS is no apprise connection in JSON. Unset it, and run: aisleflow alerts address URL"
        )
    return urls


def _path(home: Path) -> Path:
    return home / "alerts.json"
