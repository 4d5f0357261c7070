"""Rendering of the calendar's forms: in its dialog for htmx, else on pages of their own."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from portal.appointments.refusals import refusal_text
from portal.staff.back_link import named_list
from scheduling.errors import IllegalTransition, SchedulingError

REFUSED = 422
CHANGED = gettext_lazy("Someone else has changed this visit. This is the latest version: check it and save again.")
Context = dict[str, Any]
TITLES = {
    "visit_form": gettext_lazy("New visit"),
    "walk_in": gettext_lazy("Walk-in"),
    "room": gettext_lazy("Room"),
    "not_undone": gettext_lazy("This was not undone"),
    "move_form": gettext_lazy("Move a visit"),
    "suggest_form": gettext_lazy("Suggest another time"),
    "peek": gettext_lazy("Visit"),
    "group": gettext_lazy("Group visit"),
    "block_form": gettext_lazy("Block time"),
    "block": gettext_lazy("Blocked time"),
}


class Undo(TypedDict):
    """The address and fields that the Undo button posts."""

    url: str
    fields: dict[str, Any]


def show(request: HttpRequest, page: str, context: Context, *, status: int = 200) -> HttpResponse:
    """Render the content of the dialog, or the whole page."""
    in_dialog = bool(getattr(request, "htmx", False))
    frame = "portal/staff/calendar/_dialog.html" if in_dialog else "portal/staff/calendar/page.html"
    return render(
        request,
        f"portal/staff/calendar/{page}.html",
        {**context, "frame": frame, "title": TITLES[page], "named_list": named_list(request)},
        status=status,
    )


def done(
    request: HttpRequest, message: str, day: datetime, *, undo: Undo | None = None, warnings: Sequence[str] = ()
) -> HttpResponse:
    """Close the dialog with a message and the warnings about the visit; without a dialog, redirect to the list that the
    page came from, else to the agenda of the day. The message names no patient.
    """
    message = " ".join([message, *warnings])
    if getattr(request, "htmx", False):
        detail = {"calendar:done": {"message": message, "undo": undo}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(detail)})
    messages.success(request, message)
    if came_from := named_list(request):
        return redirect(came_from.address)
    return redirect(f"{reverse('portal:agenda')}?{urlencode({'date': day.date().isoformat()})}")


def refused(refusal: SchedulingError, *, may_override: bool = False, may_overbook: bool = False) -> Context:
    """Return the context of a refused form: the reasons, and whether they can be overridden, or the time overbooked."""
    texts = [issue.text for issue in refusal.issues]
    if isinstance(refusal, IllegalTransition):
        texts = [refusal_text(refusal)]
    return {"refusal": list(dict.fromkeys(texts)), "may_override": may_override, "may_overbook": may_overbook}
