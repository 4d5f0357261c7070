"""Preview and saving of changes: staff see the effect of a change before they save it."""

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
from django.views.decorators.http import require_http_methods

from clinic.models import SchedulingParameters
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.hours import previews
from portal.staff.hours.hours_page import HoursPage
from scheduling import opening
from scheduling.errors import Forbidden, NotFound, VersionConflict
from scheduling.opening import Change
from scheduling.opening.changes import StrandedVisit

P = ParamSpec("P")
UNDO = "hours-undo"
NOT_ENTERED = ("csrfmiddlewaretoken", "step", "version")


def hours_page_required(
    view: Callable[Concatenate[HttpRequest, HoursPage, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Decorator that gives the view a HoursPage for the ids in its address: 404 or 403 if the caller may not set it."""

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
        return view(request, HoursPage(terms, timezone.now(), caller_of(request)), *args, **named)

    return found


def editor_form(
    view: Callable[Concatenate[HttpRequest, HoursPage, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Decorator for a form of the editor, which posts to an address of its own: a GET leads to the editor."""

    @require_http_methods(["GET", "POST"])
    @hours_page_required
    @wraps(view)
    def posted(request: HttpRequest, hours_page: HoursPage, /, *args: P.args, **named: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return redirect(hours_page.pages["edit"])
        return view(request, hours_page, *args, **named)

    return posted


def preview_or_save(
    request: HttpRequest,
    hours_page: HoursPage,
    change: Change,
    *,
    first: date | None,
    heading: str,
    page: str = "edit",
    lines: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    """Save the change on the second step; on the first, preview the four weeks from `first` on.

    If someone else has saved since, the page says so and previews the change of the current version.
    """
    caller, terms = caller_of(request), hours_page.terms
    is_late = request.POST.get("version") != str(terms.resource.version)
    if request.POST.get("step") == "save" and not is_late:
        try:
            opening.save(terms, change, version=terms.resource.version, caller=caller, now=hours_page.now)
        except VersionConflict:
            is_late = True
        else:
            return _saved(request, hours_page, change, hours_page.pages[page])
    return show_preview(
        request,
        hours_page,
        opening.preview(
            terms, change, max(first or hours_page.today, hours_page.today), caller=caller, now=hours_page.now
        ),
        lines=lines or [],
        heading=heading,
        is_late=is_late,
        changes=opening.changes(terms, change),
    )


def show_preview(
    request: HttpRequest,
    hours_page: HoursPage,
    preview: opening.Preview | None,
    *,
    is_late: bool = False,
    **context: Any,
) -> HttpResponse:
    """Render the preview, with the entered values to save or to change."""
    entered = [(name, value) for name, values in request.POST.lists() if name not in NOT_ENTERED for value in values]
    context = {
        "hours_page": hours_page,
        "preview": preview,
        "stranded": record_stranded(request, hours_page, preview.stranded if preview else []),
        "total": previews.total(preview) if preview else None,
        "weeks": previews.by_week(preview) if preview else [],
        "days": previews.by_day(preview) if preview else [],
        "entered": entered,
        "is_late": is_late,
        **context,
    }
    return render(request, "portal/staff/hours/preview.html", context, status=409 if is_late else 200)


def record_stranded(request: HttpRequest, hours_page: HoursPage, stranded: list[StrandedVisit]) -> list[StrandedVisit]:
    """Return the visits outside the hours, and record that the caller is shown whose they are."""
    appointments = [visit.appointment for visit in stranded]
    disclosures.listed(caller_of(request), appointments, "visits outside the hours", now=hours_page.now)
    return stranded


def _saved(request: HttpRequest, hours_page: HoursPage, change: Change, page: str) -> HttpResponse:
    """Redirect to the page, with an undo if the change was of scheduling parameters only."""
    terms = hours_page.terms
    earlier = terms.row or SchedulingParameters()
    messages.success(request, _("Saved. Visits that are booked stay as they are."))
    if opening.changes_only_parameters(terms, change):
        request.session[UNDO] = {
            "place": hours_page.pages["edit"],
            "back": page,
            "version": terms.resource.version + 1,
            "parameters": {name: getattr(earlier, name) for name in change.parameters},
        }
    return redirect(page)


def undo_of(request: HttpRequest, hours_page: HoursPage) -> dict[str, Any] | None:
    """Return what the last save replaced, or None if someone has saved since."""
    kept: dict[str, Any] | None = request.session.get(UNDO)
    is_this = (
        kept and kept["place"] == hours_page.pages["edit"] and kept["version"] == hours_page.terms.resource.version
    )
    return kept if is_this else None


def is_changing(request: HttpRequest) -> bool:
    """True if the user goes back from the preview to the form."""
    return request.POST.get("step") == "change"
