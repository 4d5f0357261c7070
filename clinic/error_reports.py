"""Reports of errors to Sentry. Imported only where SENTRY_DSN is set.

A report has the kind of an error, where in the code it was raised, and the id of its request. It has no value: the text
of an exception, a variable, a query, a parameter and a header can each name a patient. They stay in the logs here.
"""

from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

from clinic import request_id
from clinic.logs import without_secrets
from clinic.version import version

KEPT = (
    *("event_id", "timestamp", "platform", "level", "logger", "transaction", "type"),
    *("release", "environment", "server_name", "sdk"),
)


def start(transport: type[Transport] | None = None) -> None:
    """Report errors of this process from now on."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=version(),
        environment=settings.SENTRY_ENVIRONMENT,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        propagate_traces=False,  # subscribers are sent no header of Sentry's
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), CeleryIntegration()],
        before_send=reduced,
        transport=transport,
    )


def reduced(event: Event, hint: Hint) -> Event:
    """Return the event with what may leave this server."""
    source: dict[str, Any] = dict(event)
    kept: dict[str, Any] = {name: source[name] for name in KEPT if name in source}
    kept["tags"] = {"request_id": request_id.current.get()}
    if record := hint.get("log_record"):
        kept["logentry"] = {"message": f"{record.module}.py, line {record.lineno}"}  # the text itself can quote a row
    if exceptions := source.get("exception", {}).get("values"):
        kept["exception"] = {"values": [_without_value(exception) for exception in exceptions]}
    if request := source.get("request"):
        address = without_secrets(request.get("url", "").partition("?")[0])
        kept["request"] = {"method": request.get("method"), "url": address}
    return kept  # type: ignore[return-value]


def _without_value(exception: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in exception.items() if name in ("type", "module", "stacktrace", "mechanism")}
