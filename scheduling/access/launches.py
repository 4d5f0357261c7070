"""Apps that people have let in, and no longer want."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from clinic.models import AuditEvent, Launch, Patient, User

FORGOTTEN_AFTER = timedelta(hours=1)  # a code that nobody has exchanged is worth nothing for longer than that


def let_in(
    application: Any, user: User, patient: Patient | None, scopes: Iterable[str], *, code_digest: str, now: datetime
) -> Launch:
    """The person has allowed this. It is worth nothing until the app exchanges its code."""
    unused = Launch.objects.filter(application=application, user=user, access_token=None)
    unused.filter(created__lt=now - FORGOTTEN_AFTER).delete()
    _audit("let-app-in", AuditEvent.Action.CREATE, user, application, patient, now)
    return Launch.objects.create(
        application=application,
        user=user,
        patient=patient,
        scope=" ".join(scopes),
        code_digest=code_digest,
        created=now,
        last_used=now,
    )


def launches_of(user: User, *, now: datetime) -> QuerySet[Launch]:
    """Those by which an app can still do something."""
    idle = now - settings.APPS_FORGOTTEN_AFTER
    renewable = Q(
        access_token__refresh_token__isnull=False,
        access_token__refresh_token__revoked=None,
        access_token__expires__gt=idle,
    )
    living = Launch.objects.filter(Q(access_token__expires__gt=now) | renewable, user=user)
    return living.select_related("application__registration", "patient").order_by("application", "created")


@transaction.atomic
def stop_app(user: User, client_id: str, *, now: datetime) -> int:
    """The app may do nothing for this person any more; how often they had let it in."""
    launches = Launch.objects.filter(user=user, application__client_id=client_id)
    ended = list(launches.select_related("application", "patient", "access_token"))
    for launch in ended:
        _audit("stop-app", AuditEvent.Action.DELETE, user, launch.application, launch.patient, now)
        launch.revoke()
    return len(ended)


def _audit(
    subtype: str, action: AuditEvent.Action, user: User, application: Any, patient: Patient | None, now: datetime
) -> None:
    AuditEvent.objects.create(
        recorded=now,
        last_updated=now,
        action=action,
        subtype=subtype,
        user=user,
        client=application.client_id[:100],
        patient=patient,
    )
