"""What somebody has typed and not sent yet stays, whatever happens to the time they hold meanwhile.

Kept in the session by page, until the page has been answered or the visit is booked.
"""

from itertools import islice
from typing import Any, TypeVar

from django import forms
from django.contrib.sessions.backends.base import SessionBase
from django.forms.utils import ErrorDict
from django.http import HttpRequest

F = TypeVar("F", bound=forms.Form)

LONGEST = 1000
MOST = 50  # fields: more than any of our pages has
LONGEST_NAME = 100
_KEY = "typed"
_NOT_TYPED = frozenset({"csrfmiddlewaretoken", "keep", "change"})


def keep(request: HttpRequest) -> None:
    """Remember what was posted, as it was typed."""
    sent = (name for name in request.POST if name not in _NOT_TYPED and len(name) <= LONGEST_NAME)
    fields = {name: str(request.POST[name])[:LONGEST] for name in islice(sent, MOST)}
    request.session[_KEY] = {**request.session.get(_KEY, {}), _page(request): fields}


def form(request: HttpRequest, kind: type[F], **more: Any) -> F:
    """The page's form: with what is posted, else with what was typed before and nothing said about it yet."""
    if request.method == "POST":
        return kind(request.POST, **more)
    typed = request.session.get(_KEY, {}).get(_page(request))
    if typed is None:
        return kind(**more)
    shown = kind(typed, **more)
    shown._errors = ErrorDict()  # type: ignore[attr-defined]  # judged when it is sent
    return shown


def done(request: HttpRequest) -> None:
    """The page has been answered."""
    if _page(request) in request.session.get(_KEY, {}):
        request.session[_KEY] = {page: sent for page, sent in request.session[_KEY].items() if page != _page(request)}


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def _page(request: HttpRequest) -> str:
    match = request.resolver_match
    assert match is not None
    return ":".join([match.view_name, str(match.kwargs.get("who", ""))])
