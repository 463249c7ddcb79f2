"""Delivers alerts through Apprise: to the addresses of an installation, or to those that a caller has set up."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from include.errors import ConfigurationError

if TYPE_CHECKING:
    import apprise

    from include.alerts.alerts import Alert, Severity

log = logging.getLogger(__name__)

#: Apprise's kind of a notification → severity.
_SEVERITIES: dict[str, Severity] = {"failure": "critical", "warning": "warning", "success": "info"}


def new_services() -> apprise.Apprise:
    """Return an empty set of services that knows ``inbox://``, the local inbox."""
    import apprise

    _register_inbox()
    return apprise.Apprise(asset=apprise.AppriseAsset(app_id="Aisleflow", app_desc="Shelf prices", secure_logging=True))


def services_of(urls: Iterable[str]) -> apprise.Apprise:
    """Return the services of Apprise URLs.

    Raises:
        ConfigurationError: a URL is none that Apprise can use. The message does not repeat it: it may hold a password.
    """
    services = new_services()
    for number, url in enumerate(urls, start=1):
        if not services.add(url):
            scheme = url.partition("://")[0][:20] if "://" in url else "no scheme"
            raise ConfigurationError(
                f"address {number} ({scheme}) cannot be used. Give an Apprise URL, for example mailtos://user:password@mail.example or inbox://home."
            )
    return services


def display(urls: Iterable[str]) -> str:
    """Return addresses as a person may see them, without passwords."""
    return ", ".join(service.url(privacy=True).partition("?")[0] for service in services_of(urls))  # type: ignore[no-untyped-call]


def deliver(alert: Alert, services: apprise.Apprise) -> bool:
    """Deliver an alert to all services; return whether every one accepted it."""
    import apprise

    kind = apprise.NotifyType(next(name for name, severity in _SEVERITIES.items() if severity == alert.severity))
    return bool(services.notify(title=alert.title, body=alert.text(), notify_type=kind, body_format=apprise.NotifyFormat.TEXT))


def _register_inbox() -> None:
    """Register ``inbox://`` with Apprise: the folder ``inbox`` of this installation's home. Safe to repeat."""
    from apprise.decorators import notify
    from apprise.manager_plugins import NotificationManager

    if "inbox" in NotificationManager().schemas():  # type: ignore[no-untyped-call]
        return

    @notify(on="inbox", name="Aisleflow's local inbox")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
    def put_into_inbox(body: str, title: str, notify_type: Any, *args: Any, **kwargs: Any) -> bool:
        from include.alerts import inbox
        from include.config import settings

        inbox.put(settings().home, title, body, _SEVERITIES[str(getattr(notify_type, "value", notify_type))])
        return True
