"""Typed form data kept in the session until it is sent without a mistake: for all forms of patients' pages.

A view with a form is a `page` and makes its form by `form`. Every POST is then answered by a redirect, so that neither
reloading a page nor going back to it sends anything again. What was refused is kept in the session, with what is wrong
about it, and shown by the page that comes next; so is what was typed when the reader chose another language, which is a
button of the form itself and needs no script. It is kept until the page is answered or the visit is booked, and no
longer than KEPT_FOR; nothing of it ever stands in an address.
"""

import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from itertools import islice
from typing import Any, Concatenate, ParamSpec, TypeVar

from django import forms
from django.contrib.sessions.backends.base import SessionBase
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation

from portal.common import languages

F = TypeVar("F", bound=forms.Form)
P = ParamSpec("P")

LONGEST = 1000
MOST = 50  # fields: more than any of our pages has
MOST_PAGES = 10
LONGEST_NAME = 100
KEPT_FOR = 2 * 3600  # seconds
LANGUAGE = "read-in"  # the name of the buttons that choose a language
_KEY = "typed"
_FORM = "typed_form"
_NOT_TYPED = frozenset({"csrfmiddlewaretoken", "keep", "change", "let-go", "again", LANGUAGE})
# What was typed for a time that was held is there for the next one.
_OF_ANY_HOLD = frozenset(
    f"portal:{name}" for name in ("about", "about-details", "proof", "coverage", "new-coverage", "confirm")
)


def page(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view with a form: what is refused is shown by a GET, and what is typed outlives a change of language."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if LANGUAGE in request.POST:
            keep(request, language=request.POST[LANGUAGE])
            return languages.read_in(request, request.POST[LANGUAGE], redirect(request.get_full_path()))
        response = view(request, *args, **kwargs)
        made: forms.Form | None = getattr(request, _FORM, None)
        if made is None or not made.errors or "Location" in response.headers:
            return response
        keep(request, wrong=made.errors)
        return redirect(request.get_full_path())

    return guarded


def form(request: HttpRequest, kind: type[F], **more: Any) -> F:
    """The page's form: with what is posted, else with what was typed before, and what was wrong about it."""
    typed = _pages(request.session).get(_page(request)) if request.method != "POST" else None
    if request.method == "POST":
        made = kind(request.POST, **more)
    elif typed is None:
        made = kind(**more)
    else:
        made = kind(typed["fields"], **more)
        made._errors = ErrorDict()  # type: ignore[attr-defined]  # judged when it is sent
        for name, texts in typed.get("wrong", {}).items():
            made._errors[name] = made.error_class(texts, renderer=made.renderer)  # type: ignore[attr-defined]
        if "wrong" in typed:  # said once: who reloads the page sees what they typed, and no alarm
            _write(request.session, {**_pages(request.session), _page(request): {**typed, "wrong": {}}})
    offer_languages(request, made)
    return made


def offer_languages(request: HttpRequest, made: object = True) -> None:
    """Let the menu of languages be buttons of the page's form, whose id is `step`."""
    setattr(request, _FORM, made)


def keep(request: HttpRequest, *, wrong: ErrorDict | None = None, language: str = "") -> None:
    """Remember what was posted, as it was typed, and what is wrong about it.

    Who chooses another language to read in, and is written to in the one read so far, is written to in the other too.
    """
    sent = (name for name in request.POST if name not in _NOT_TYPED and len(name) <= LONGEST_NAME)
    fields = {name: str(request.POST[name])[:LONGEST] for name in islice(sent, MOST)}
    if language in dict(languages.names()) and fields.get("language") == translation.get_language():
        fields["language"] = language
    said = {name: [str(text)[:LONGEST] for text in texts] for name, texts in (wrong or {}).items()}
    pages = {name: kept for name, kept in _pages(request.session).items() if name != _page(request)}
    latest = dict(list(pages.items())[1 - MOST_PAGES :])
    _write(request.session, {**latest, _page(request): {"fields": fields, "wrong": said, "at": time.time()}})


def done(request: HttpRequest) -> None:
    """The page has been answered."""
    pages = _pages(request.session)
    if pages.pop(_page(request), None):
        _write(request.session, pages)


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def _pages(session: SessionBase) -> dict[str, Any]:
    """The kept form data by page, the oldest first."""
    since = time.time() - KEPT_FOR
    return {name: kept for name, kept in session.get(_KEY, {}).items() if kept["at"] >= since}


def _write(session: SessionBase, pages: dict[str, Any]) -> None:
    session[_KEY] = pages


def _page(request: HttpRequest) -> str:
    """The page's name; what its address says more is hashed, for it can be a secret link."""
    match = request.resolver_match
    assert match is not None
    across = ("appointment_id",) if match.view_name in _OF_ANY_HOLD else ()
    more = [f"{name}={value}" for name, value in sorted(match.kwargs.items()) if name not in across]
    return f"{match.view_name}:{sha256('&'.join(more).encode()).hexdigest()[:16]}" if more else match.view_name
