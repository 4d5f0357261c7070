"""Views of one visit by its manage link, without signing in. They show only what is needed; a GET changes nothing."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.appointments import alternatives, manage_links, several, suggestions, visits
from portal.appointments.cancellations import Cancellation
from portal.appointments.refusals import refusal_text
from portal.common import form_drafts
from scheduling import booking
from scheduling.errors import SchedulingError
from scheduling.waiting import wait_of


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def manage(request: HttpRequest, token: str) -> HttpResponse:
    """Show when and where the visit is and what can be done. The details follow after the birth date."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return _expired(request)
    if manage_links.CODE_BUTTONS & request.POST.keys():
        return manage_links.send_code(request, visit, now)
    known = manage_links.is_known(request, visit, now)
    form = None if known else manage_links.proof_form(request, visit, now)
    if request.method == "POST":
        if form and form.is_valid() and manage_links.is_given(request, visit, form, now):
            form_drafts.done(request)
        if not (form and form.errors):
            return redirect("portal:manage", token)
    together = visits.together(visit, manage_links.caller_by_link(visit))
    context = {
        "visit": visits.with_dues([visit])[0] if known else visit,
        "token": token,
        "form": form,
        "known": known,
        "together": together,
        "wait": wait_of(visit.appointment, visit.zone, now=now),
        "several": several.choices(visit, together),
        "offered": alternatives.offered_times(visit, now=now),
    }
    return render(request, "portal/appointments/manage.html", context | manage_links.proof_context(request, visit, now))


@never_cache
@require_POST
def attend(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm that the patient will come."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return _expired(request)
    try:
        booking.confirm_attendance(visit.id, caller=manage_links.caller_by_link(visit), now=now)
        messages.success(request, _("Thank you. The clinic now knows that you are coming."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:manage", token)


@never_cache
@require_POST
def answer_suggestion(request: HttpRequest, token: str) -> HttpResponse:
    """Accept or refuse the time that the clinic suggests for a request."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return _expired(request)
    suggestions.answer(request, visit, caller=manage_links.caller_by_link(visit), now=now)
    return redirect("portal:manage", token)


@never_cache
@require_POST
def answer_times(request: HttpRequest, token: str) -> HttpResponse:
    """Choose another time of a visit that the clinic cannot keep, ask for a call, or cancel."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return _expired(request)
    alternatives.answer(request, visit, caller=manage_links.caller_by_link(visit), now=now)
    return redirect("portal:manage", token)


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation, then cancel."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return _expired(request)
    if "which" in request.GET and not manage_links.is_known(request, visit, now):
        return manage_links.ask_birth_date(request, visit, token, now)
    page = reverse("portal:manage", args=[token])
    return Cancellation(visit, manage_links.caller_by_link(visit), page, page, by_link=True).answer(request, now=now)


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/appointments/expired.html", status=410)
