"""The caller of a request, and decorators that require one of a kind."""

import secrets
from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from clinic import replica
from clinic.models import User
from portal.common import tickets
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Forbidden

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_ATTRIBUTE = "_portal_caller"
_SECRET = "guest"
READING = ("GET", "HEAD", "OPTIONS")


def caller_of(request: HttpRequest) -> Caller:
    """Return the request's Caller. It is made once for each request, so that its queries run once."""
    caller: Caller | None = getattr(request, _ATTRIBUTE, None)
    if caller is None:
        user = getattr(request, "user", None)
        has_session = hasattr(request, "session")
        caller = Caller(
            user=user if isinstance(user, User) else None,
            guest=guest_secret(request.session) if has_session else "",
            tickets=tickets.opened(request.session) if has_session else frozenset(),
            proven_tickets=tickets.proven(request.session) if has_session else frozenset(),
        )
        setattr(request, _ATTRIBUTE, caller)
    return caller


def may_be_behind(view: Callable[Concatenate[R, P], HttpResponse]) -> Callable[Concatenate[R, P], HttpResponse]:
    """Decorator for a view that only reads, so that it may show what a replica has. The caller and their patients are
    read from the database itself.
    """

    @wraps(view)
    def answered(request: R, /, *args: P.args, **named: P.kwargs) -> HttpResponse:
        caller = caller_of(request)
        if replica.is_configured():
            caller.patients  # noqa: B018 - it is kept
        return replica.read(partial(view, request, *args, **named), caller.owner)

    return answered


def guest_secret(session: SessionBase) -> str:
    """Return the secret that identifies this browser as a guest; empty if it has held nothing yet."""
    return str(session.get(_SECRET, ""))


def fresh_caller(request: HttpRequest) -> Caller:
    """Return a new Caller for the request, after what they may do has changed."""
    delattr(request, _ATTRIBUTE)
    return caller_of(request)


def holder_of(request: HttpRequest) -> Caller:
    """Return a caller who can hold a time: without an account, this browser becomes a guest."""
    if caller_of(request).user is None and not caller_of(request).guest:
        request.session[_SECRET] = secrets.token_urlsafe(32)
        request.session.set_expiry(0)  # with the browser: the next person at this computer is someone else
        return fresh_caller(request)
    return caller_of(request)


def sign_in_for(address: str) -> HttpResponse:
    """Redirect to the sign-in page, and from there to `address`."""
    return redirect_to_login(address)


def details_for(address: str) -> HttpResponse:
    """Redirect to the form for the patient's record, and from there to `address`."""
    return redirect(f"{reverse('portal:details')}?{urlencode({'next': address})}")


def sign_in_required(view: View[P]) -> View[P]:
    """Decorator that lets only signed-in users see the view."""
    return _unless(view, lambda caller: caller.user is None)


def visitor_required(view: View[P]) -> View[P]:
    """Decorator that lets only signed-in users and guests who have held a time see the view."""
    return _unless(view, lambda caller: caller.user is None and not caller.guest)


def referrer_required(view: View[P]) -> View[P]:
    """Decorator that lets only referrers see the view: other signed-in users get 403."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        if not caller_of(request).is_referrer:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _unless(view: View[P], is_stranger: Callable[[Caller], bool]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if is_stranger(caller_of(request)):
            return sign_in_for(request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


def patient_required(view: View[P]) -> View[P]:
    """Decorator that lets only patients see the view. Others first go to sign in or to create their record."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        if caller_of(request).patient is None:
            return details_for(request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


def staff_required(view: View[P]) -> View[P]:
    """Decorator that lets only staff see the view, and only those post to it who run calendars: others get 403."""
    return _staff_alone(view, lambda request: caller_of(request).worker.is_staff)


def worker_required(view: View[P]) -> View[P]:
    """Decorator of a form of staff: only those who run calendars see and send it, of what they run; others get 403.

    The view's caller has only the roles that run calendars, so that the form offers nothing that it would refuse.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        worker = caller_of(request).worker
        if not worker.is_staff:
            raise PermissionDenied
        setattr(request, _ATTRIBUTE, worker)
        return view(request, *args, **kwargs)

    return guarded


def any_staff_required(view: View[P]) -> View[P]:
    """Decorator that lets also those post to the view who only see: it changes no row, or its use case decides."""
    return _staff_alone(view, lambda request: True)


def _staff_alone(view: View[P], may_post: Callable[[HttpRequest], bool]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        if not caller_of(request).is_staff or not (request.method in READING or may_post(request)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def manager_required(view: View[P]) -> View[P]:
    """Decorator that lets only those see the view who may set up the clinic: other signed-in users get 403."""
    return _allowed(view, access.may_set_up)


def importer_required(view: View[P]) -> View[P]:
    """Decorator that lets only those see the view who may import lists: other signed-in users get 403."""
    return _allowed(view, access.may_import)


def exporter_required(view: View[P]) -> View[P]:
    """Decorator that lets only those see the view who may export everything: other signed-in users get 403."""
    return _allowed(view, access.may_export_all)


def _allowed(view: View[P], require: Callable[[Caller], None]) -> View[P]:
    """Decorate the view with a rule that raises Forbidden."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        try:
            require(caller_of(request))
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        return view(request, *args, **kwargs)

    return guarded
