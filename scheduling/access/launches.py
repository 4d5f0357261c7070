"""Launches of SMART apps that people have authorised, and their end."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from clinic.models import AuditEvent, Launch, Patient, User
from scheduling.access.audit import audit_event
from scheduling.access.callers import Caller

FORGOTTEN_AFTER = timedelta(hours=1)  # authorization codes expire sooner
ONLINE_FOR = timedelta(hours=12)  # the browser may be closed without signing out
OFFLINE = Q(scope__regex=r"(^| )offline_access( |$)")


def code_digest(code: str) -> str:
    """Digest by which a launch is found: the authorization code itself is not stored."""
    return sha256(code.encode()).hexdigest()


def record_launch(
    application: Any, user: User, patient: Patient | None, scopes: Iterable[str], *, code: str, now: datetime
) -> Launch:
    """Record that the person has authorised the app. The launch grants nothing until the app exchanges its code."""
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


def active_launches(user: User, *, now: datetime) -> QuerySet[Launch]:
    """The user's launches with which an app can still access data."""
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
def revoke_app(user: User, client_id: str, *, now: datetime) -> int:
    """End all access of the app for this person. Returns the number of launches ended."""
    return _stop(user, Q(application__client_id=client_id), now)


@transaction.atomic
def end_online_launches(user: User, code_digests: Collection[str] | None = None, *, now: datetime) -> int:
    """End the launches that last only while the person is signed in: those with these code digests, or all without
    any.
    """
    which = ~OFFLINE & Q(scope__regex=r"(^| )online_access( |$)")
    return _stop(user, which if code_digests is None else which & Q(code_digest__in=code_digests), now)


def is_launch_over(launch: Launch, *, now: datetime) -> bool:
    """True if the launch lasts only while the person is signed in, and began too long ago for that."""
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
    caller = Caller(user=user, client=application.client_id)
    audit_event(subtype, action, caller=caller, now=now, patient=patient).save()
