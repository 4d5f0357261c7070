"""Page with the messages that the demo has sent. Only the demo has it."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from demo import mail

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def in_the_demo(view: View[P]) -> View[P]:
    """Show the messages; 404 outside the embedded demo."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not (settings.EMBEDDED and settings.DEMO):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@in_the_demo
@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The latest first."""
    return render(request, "demo/messages.html", {"kept": mail.kept()})


@in_the_demo
@require_GET
def invitation(request: HttpRequest, name: str) -> HttpResponse:
    """The calendar file of one."""
    content = mail.invitation(name)
    if content is None:
        raise Http404
    disposition = {"Content-Disposition": 'attachment; filename="visit.ics"'}
    return HttpResponse(content, content_type="text/calendar", headers=disposition)
