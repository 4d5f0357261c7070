"""Typed form data, kept in the session until the form is valid: for all forms on patients' pages.

A view with a form is decorated with `page` and makes its form with `form`. Every POST is answered by a redirect, so
that reloading the page or going back to it sends nothing again. Refused data is kept in the session with its errors
and shown by the next GET. The buttons that choose a language belong to the form too (no script is needed), so the data
outlives a change of language. It is kept until the form is valid or the visit is booked, at most for KEPT_FOR, and is
never part of an address. A password is never kept.
"""

import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from itertools import islice
from typing import Any, Concatenate, ParamSpec, TypeVar

from django import forms
from django.contrib.sessions.backends.base import SessionBase
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from portal.common import languages

F = TypeVar("F", bound=forms.Form)
P = ParamSpec("P")

LONGEST = 1000
MOST = 50  # fields: more than any page has
MOST_PAGES = 10
LONGEST_NAME = 100
KEPT_FOR = 2 * 3600  # seconds
LANGUAGE = "read-in"  # the name of the buttons that choose a language
PASSWORD = "password"  # in the name of every field for one
_KEY = "typed"
_FORM = "typed_form"
_NOT_TYPED = frozenset({"csrfmiddlewaretoken", "keep", "change", "let-go", "again", LANGUAGE})
# On these pages the data of one hold is kept for the next hold.
_OF_ANY_HOLD = frozenset(
    f"portal:{name}" for name in ("about", "about-details", "proof", "coverage", "new-coverage", "needs", "confirm")
)


def page(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Decorator for a view with a form: keeps refused data and its errors, and answers POST by a redirect."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if LANGUAGE in request.POST:
            keep(request, language=request.POST[LANGUAGE])
            return languages.switch(request, request.POST[LANGUAGE], redirect(request.get_full_path()))
        response = view(request, *args, **kwargs)
        made: forms.Form | None = getattr(request, _FORM, None)
        if made is not None and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            keep(request)
            return response
        if made is None or not made.errors or "Location" in response.headers:
            return response
        keep(request, wrong=made.errors)
        return redirect(request.get_full_path())

    return guarded


def form(request: HttpRequest, kind: type[F], /, **more: Any) -> F:
    """Return the page's form, filled with the posted data, else with the kept data and its errors."""
    typed = _pages(request.session).get(_page(request)) if request.method != "POST" else None
    if request.method == "POST":
        made = kind(data=request.POST, **more)
    elif typed is None:
        made = kind(**more)
    else:
        made = kind(data=_as_sent(typed["fields"]), **more)
        made._errors = ErrorDict()  # type: ignore[attr-defined]  # judged when it is sent
        for name, texts in typed.get("wrong", {}).items():
            made._errors[name] = made.error_class(texts, renderer=made.renderer)  # type: ignore[attr-defined]
        if "wrong" in typed:  # errors are shown once; after a reload only the data is there
            _write(request.session, {**_pages(request.session), _page(request): {**typed, "wrong": {}}})
    offer_languages(request, made)
    return made


def offer_languages(request: HttpRequest, made: object = True) -> None:
    """Turn the language menu into buttons of the page's form, whose id is `step`."""
    setattr(request, _FORM, made)


def keep(request: HttpRequest, *, wrong: ErrorDict | None = None, language: str = "") -> None:
    """Keep the posted data as it was typed, with its errors.

    With `language`, a form field for the language of messages follows if it had the language of the page so far.
    """
    sent = (name for name in request.POST if _is_kept(name))
    fields = {name: [text[:LONGEST] for text in request.POST.getlist(name)[:MOST]] for name in islice(sent, MOST)}
    if language in dict(languages.names()) and fields.get("language") == [translation.get_language()]:
        fields["language"] = [language]
    errors = {name: [str(text)[:LONGEST] for text in texts] for name, texts in (wrong or {}).items()}
    pages = {name: kept for name, kept in _pages(request.session).items() if name != _page(request)}
    latest = dict(list(pages.items())[1 - MOST_PAGES :])
    _write(request.session, {**latest, _page(request): {"fields": fields, "wrong": errors, "at": time.time()}})


def done(request: HttpRequest) -> None:
    """Drop the kept data of the page, after its form was valid."""
    pages = _pages(request.session)
    if pages.pop(_page(request), None):
        _write(request.session, pages)


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def _is_kept(name: str) -> bool:
    return name not in _NOT_TYPED and PASSWORD not in name and len(name) <= LONGEST_NAME


def _as_sent(fields: dict[str, Any]) -> MultiValueDict[str, str]:
    """Return kept fields as posted data. Servers of the version before keep one value of each field."""
    return MultiValueDict({name: value if isinstance(value, list) else [value] for name, value in fields.items()})


def _pages(session: SessionBase) -> dict[str, Any]:
    """Return the kept form data by page, oldest first."""
    since = time.time() - KEPT_FOR
    return {name: kept for name, kept in session.get(_KEY, {}).items() if kept["at"] >= since}


def _write(session: SessionBase, pages: dict[str, Any]) -> None:
    session[_KEY] = pages


def _page(request: HttpRequest) -> str:
    """Return the page's key: its URL name and a hash of the arguments, which may contain a secret."""
    match = request.resolver_match
    assert match is not None
    across = ("appointment_id",) if match.view_name in _OF_ANY_HOLD else ()
    more = [f"{name}={value}" for name, value in sorted(match.kwargs.items()) if name not in across]
    return f"{match.view_name}:{sha256('&'.join(more).encode()).hexdigest()[:16]}" if more else match.view_name
