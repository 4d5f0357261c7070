"""Nothing is saved before staff have seen what it would do."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.models import SchedulingParameters
from portal.common.callers import caller_of, staff_required
from portal.staff.hours import previews
from portal.staff.hours.place import Place
from scheduling import opening
from scheduling.errors import Forbidden, NotFound, VersionConflict
from scheduling.opening import Change

P = ParamSpec("P")
UNDO = "hours-undo"
NOT_ENTERED = ("csrfmiddlewaretoken", "step", "version")


def of_place(view: Callable[Concatenate[HttpRequest, Place, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """What is set, for views below a calendar and a service, or a service: 404 or 403 for who may not set it."""

    @staff_required
    @wraps(view)
    def found(
        request: HttpRequest, /, service_id: str, schedule_id: str | None = None, *args: P.args, **named: P.kwargs
    ) -> HttpResponse:
        try:
            terms = opening.terms_of(caller_of(request), service_id, schedule_id)
        except NotFound as missing:
            raise Http404 from missing
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        return view(request, Place(terms, timezone.now(), caller_of(request)), *args, **named)

    return found


def decide(
    request: HttpRequest,
    place: Place,
    change: Change,
    *,
    first: date | None,
    heading: str,
    page: str = "edit",
    says: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    """Save, where that is asked; else show what it would do in the four weeks from `first` on.

    Who started from an earlier version is told so first, and sees what their change does to the present one.
    """
    caller, terms = caller_of(request), place.terms
    is_late = request.POST.get("version") != str(terms.resource.version)
    if request.POST.get("step") == "save" and not is_late:
        try:
            opening.save(terms, change, version=terms.resource.version, caller=caller, now=place.now)
        except VersionConflict:
            is_late = True
        else:
            return _saved(request, place, change, place.pages[page])
    return show_preview(
        request,
        place,
        opening.preview(terms, change, max(first or place.today, place.today), caller=caller, now=place.now),
        says=says or [],
        heading=heading,
        is_late=is_late,
        changes=opening.changes(terms, change),
    )


def show_preview(
    request: HttpRequest,
    place: Place,
    preview: opening.Preview | None,
    *,
    is_late: bool = False,
    **context: Any,
) -> HttpResponse:
    """What it would do, with all that was entered, to be saved or changed."""
    entered = [(name, value) for name, values in request.POST.lists() if name not in NOT_ENTERED for value in values]
    shown = {
        "place": place,
        "preview": preview,
        "stranded": preview.stranded if preview else [],
        "total": previews.total(preview) if preview else None,
        "weeks": previews.by_week(preview) if preview else [],
        "days": previews.by_day(preview) if preview else [],
        "entered": entered,
        "is_late": is_late,
        **context,
    }
    return render(request, "portal/hours/preview.html", shown, status=409 if is_late else 200)


def _saved(request: HttpRequest, place: Place, change: Change, page: str) -> HttpResponse:
    """Back to the page, which offers to undo what can be: all that is in the scheduling parameters."""
    terms = place.terms
    earlier = terms.row or SchedulingParameters()
    messages.success(request, _("Saved. Visits that are booked stay as they are."))
    if opening.changes_only_parameters(terms, change):
        request.session[UNDO] = {
            "place": place.pages["edit"],
            "back": page,
            "version": terms.resource.version + 1,
            "parameters": {name: getattr(earlier, name) for name in change.parameters},
        }
    return redirect(page)


def undo_of(request: HttpRequest, place: Place) -> dict[str, Any] | None:
    """What the last save here replaced; None once someone has saved since."""
    kept: dict[str, Any] | None = request.session.get(UNDO)
    is_this = kept and kept["place"] == place.pages["edit"] and kept["version"] == place.terms.resource.version
    return kept if is_this else None


def is_changing(request: HttpRequest) -> bool:
    """True if what was entered is to be changed once more."""
    return request.POST.get("step") == "change"
