"""Callers without a request: software and people on whose behalf a worker acts later."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from oauth2_provider.models import Application

from clinic.models import User
from scheduling.access.callers import Caller
from scheduling.access.launches import active_launches
from scheduling.access.permissions import require
from scheduling.access.scopes import grantable, read_scope


def standing_caller(client: str, user: User | None, scopes: str, *, now: datetime) -> Caller | None:
    """The caller that this software, this person, or this person's app is now; None if it may no longer act.

    Software has the scopes of an earlier token, in `scopes`, as far as its registration still allows them, and an app
    as far as its person still allows them. A scope with search parameters grants nothing here.
    """
    if user is not None and not _may_sign_in(user):
        return None
    if not client:
        return Caller(user=user) if user else None
    application = Application.objects.filter(client_id=client).select_related("registration", "user").first()
    if application is None or (application.user is not None and not _may_sign_in(application.user)):
        return None
    registration = getattr(application, "registration", None)
    granted = grantable(scopes.split(), registration.scopes.split() if registration else ())
    if user is None:
        return Caller(client=client, scopes=tuple(granted))
    launch = active_launches(user, now=now).filter(application=application).last()
    if launch is None:
        return None
    granted = grantable(granted, launch.scope.split())
    return Caller(user=user, client=client, scopes=tuple(granted), context_patient=launch.patient_id)


def require_standing(caller: Caller, resource_type: str) -> None:
    """Raise Forbidden unless the caller may read some resources of the type later too, as a `standing_caller`."""
    lasting = tuple(text for text in caller.scopes if (scope := read_scope(text)) and not scope.constraint)
    require(replace(caller, scopes=lasting), resource_type, "r")


def _may_sign_in(user: User) -> bool:
    return bool(user.is_active and (settings.DEMO or not user.is_demo))
