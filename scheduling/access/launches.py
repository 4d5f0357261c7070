"""Apps that people have let in, and no longer want."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from clinic.models import AuditEvent, Launch, Patient, User

FORGOTTEN_AFTER = timedelta(hours=1)  # a code that nobody has exchanged is worth nothing for longer than that
ONLINE_FOR = timedelta(hours=12)  # for who closes the browser without signing out
OFFLINE = Q(scope__regex=r"(^| )offline_access( |$)")


def code_digest(code: str) -> str:
    """By which a launch is found: codes themselves are not kept with it."""
    return sha256(code.encode()).hexdigest()


def let_in(
    application: Any, user: User, patient: Patient | None, scopes: Iterable[str], *, code: str, now: datetime
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
        code_digest=code_digest(code),
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
    renewable &= OFFLINE | Q(created__gt=now - ONLINE_FOR)
    living = Launch.objects.filter(Q(access_token__expires__gt=now) | renewable, user=user)
    return living.select_related("application__registration", "patient").order_by("application", "created")


@transaction.atomic
def stop_app(user: User, client_id: str, *, now: datetime) -> int:
    """The app may do nothing for this person any more; how often they had let it in."""
    return _stop(user, Q(application__client_id=client_id), now)


@transaction.atomic
def end_online(user: User, code_digests: Collection[str] | None = None, *, now: datetime) -> int:
    """The person is no longer here: what was let in only for as long as they are ends. All of it unless said which."""
    which = ~OFFLINE & Q(scope__regex=r"(^| )online_access( |$)")
    return _stop(user, which if code_digests is None else which & Q(code_digest__in=code_digests), now)


def is_over(launch: Launch, *, now: datetime) -> bool:
    """True if it was for while its person is here, and they can hardly be here any more."""
    return "offline_access" not in launch.scope.split() and launch.created <= now - ONLINE_FOR


def _stop(user: User, which: Q, now: datetime) -> int:
    ended = list(Launch.objects.filter(which, user=user).select_related("application", "patient", "access_token"))
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
