"""Sign-in parameters of an app's request: `login_hint`, `prompt` and `max_age`.

https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
"""

import re
import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from clinic.models import User
from portal.common.callers import sign_in_for

SECONDS = re.compile(r"[0-9]{1,9}")


def first(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page, with the app's `login_hint`, and then back."""
    hint = request.GET.get("login_hint", "")
    sign_in = sign_in_for(satisfied(request))
    return redirect(f"{sign_in['Location']}&{urlencode({'login_hint': hint})}") if hint else sign_in


def is_required(request: HttpRequest) -> bool:
    """True if the app requires that the user signs in again."""
    if "login" in request.GET.get("prompt", "").split():
        return True
    longest = SECONDS.fullmatch(request.GET.get("max_age", ""))
    return longest is not None and _signed_in_at(request) + int(longest[0]) <= time.time()


def ask(request: HttpRequest) -> HttpResponse:
    """Redirect to the page that asks for the password again, and then back."""
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': satisfied(request)})}")


def satisfied(request: HttpRequest) -> str:
    """Return the address of this page without the parameters that require signing in again."""
    kept = request.GET.copy()
    for name in ("prompt", "max_age"):
        kept.pop(name, None)
    return f"{request.path}?{kept.urlencode()}"


def _signed_in_at(request: HttpRequest) -> float:
    records = get_authentication_records(request, request.user)
    return float(max((each["at"] for each in records), default=0))


@receiver(authentication_step_completed, dispatch_uid="signed_in_again")
def note(user: User, reauthenticated: bool = False, **_kwargs: Any) -> None:
    """Store the time of signing in again: it is the `auth_time` in the app's ID token."""
    if reauthenticated:
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])
