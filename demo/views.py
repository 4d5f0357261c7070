"""Page with the messages that the demo has sent, and answers to its texts. Only the demo has it."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from demo import mail
from scheduling import booking
from scheduling.notifications import InboundText

REPLIES = ("C", "X", "STOP", "START", "HELP")
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
    return render(request, "demo/messages.html", {"kept": mail.kept(), "replies": REPLIES})


@in_the_demo
@require_POST
def reply(request: HttpRequest) -> HttpResponse:
    """Receive a text message, as if somebody had sent it from the number in the form."""
    text = InboundText.of(uuid4().hex, request.POST.get("number", ""), request.POST.get("words", ""))
    if text is not None:
        booking.receive_text(text, now=timezone.now())
        messages.success(request, _("The clinic has your text. If it answers, the answer is here in a few seconds."))
    return redirect("demo:messages")


@in_the_demo
@require_GET
def invitation(request: HttpRequest, name: str) -> HttpResponse:
    """The calendar file of one."""
    content = mail.invitation(name)
    if content is None:
        raise Http404
    disposition = {"Content-Disposition": 'attachment; filename="visit.ics"'}
    return HttpResponse(content, content_type="text/calendar", headers=disposition)
