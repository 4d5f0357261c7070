"""Who asks for a page, and what they must be to see it."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from clinic.models import User
from scheduling.access import Caller

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_ATTRIBUTE = "_portal_caller"
_SECRET = "guest"


def caller_of(request: HttpRequest) -> Caller:
    """The caller of scheduling.access, one for each request, so that who they are is looked up once."""
    caller: Caller | None = getattr(request, _ATTRIBUTE, None)
    if caller is None:
        user = getattr(request, "user", None)
        guest = guest_secret(request.session) if hasattr(request, "session") else ""
        caller = Caller(user=user if isinstance(user, User) else None, guest=guest)
        setattr(request, _ATTRIBUTE, caller)
    return caller


def guest_secret(session: SessionBase) -> str:
    """By what this browser is known for what it held without an account; empty where it held nothing yet."""
    return str(session.get(_SECRET, ""))


def fresh_caller(request: HttpRequest) -> Caller:
    """The caller once more, where what they may do has just changed."""
    delattr(request, _ATTRIBUTE)
    return caller_of(request)


def holder_of(request: HttpRequest) -> Caller:
    """The caller as one who can hold a time: who has not signed in is known by their browser from now on."""
    if caller_of(request).user is None and not caller_of(request).guest:
        request.session[_SECRET] = secrets.token_urlsafe(32)
        request.session.set_expiry(0)  # with the browser: the next person at this computer is someone else
        return fresh_caller(request)
    return caller_of(request)


def sign_in_for(address: str) -> HttpResponse:
    """To the sign-in page, and from there to `address`."""
    return redirect_to_login(address)


def details_for(address: str) -> HttpResponse:
    """To the page that asks for what a patient's record needs, and from there to `address`."""
    return redirect(f"{reverse('portal:details')}?{urlencode({'next': address})}")


def sign_in_required(view: View[P]) -> View[P]:
    """Only for people who have signed in."""
    return _unless(view, lambda caller: caller.user is None)


def visitor_required(view: View[P]) -> View[P]:
    """Only for people who have signed in, and for guests who have held a time in this browser."""
    return _unless(view, lambda caller: caller.user is None and not caller.guest)


def _unless(view: View[P], is_stranger: Callable[[Caller], bool]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if is_stranger(caller_of(request)):
            return sign_in_for(request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


def patient_required(view: View[P]) -> View[P]:
    """Only for patients. Others are sent where they become one, and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        if caller_of(request).patient is None:
            return details_for(request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


def staff_required(view: View[P]) -> View[P]:
    """Only for people who work here: 403 for everyone else who is signed in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        if not caller_of(request).is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
