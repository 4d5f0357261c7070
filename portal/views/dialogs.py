"""Forms of the calendar: in its dialog where htmx asks for them, else pages of their own."""

import json
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from portal.calendar import Selection
from portal.views.calendar import selection_of
from scheduling.errors import NotFound

REFUSED = 422
TITLES = {
    "visit_form": gettext_lazy("New visit"),
    "move_form": gettext_lazy("Move a visit"),
    "peek": gettext_lazy("Visit"),
    "block_form": gettext_lazy("Block time"),
    "block": gettext_lazy("Blocked time"),
}


class Undo(TypedDict):
    """What the button posts that takes it back."""

    url: str
    fields: dict[str, Any]


def show(request: HttpRequest, page: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The dialog's content, or the whole page."""
    in_dialog = bool(getattr(request, "htmx", False))
    frame = "portal/staff/_dialog.html" if in_dialog else "portal/staff/page.html"
    return render(
        request, f"portal/staff/{page}.html", {**context, "frame": frame, "title": TITLES[page]}, status=status
    )


def done(request: HttpRequest, message: str, day: datetime, *, undo: Undo | None = None) -> HttpResponse:
    """Close the dialog and say what was done; without one, back to the list of that day. Names no patient."""
    if getattr(request, "htmx", False):
        detail = {"calendar:done": {"message": message, "undo": undo}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(detail)})
    messages.success(request, message)
    return redirect(f"{reverse('portal:agenda')}?{urlencode({'date': day.date().isoformat()})}")


def selected(request: HttpRequest) -> Selection:
    """The calendars of whoever has some: 404 for who has none."""
    try:
        return selection_of(request)
    except NotFound:
        raise Http404 from None
