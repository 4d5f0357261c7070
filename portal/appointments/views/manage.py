"""Views of one visit by its manage link, without signing in. They show only what is needed; a GET changes nothing."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.appointments import manage_links, suggestions
from portal.appointments.forms import CancelForm
from portal.appointments.refusals import refusal_text
from portal.appointments.visits import Visit
from portal.common import form_drafts
from scheduling import booking
from scheduling.booking import StatusRequest
from scheduling.errors import SchedulingError


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
    context = {"visit": visit, "token": token, "form": form, "known": known}
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
@require_http_methods(["GET", "POST"])
@form_drafts.page
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation, then cancel."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return _expired(request)
    if not visit.is_promised:
        return redirect("portal:manage", token)
    form = form_drafts.form(request, CancelForm) if visit.is_changeable or request.method == "POST" else None
    if request.method == "POST" and form and form.is_valid():
        form_drafts.done(request)
        return _cancel(request, visit, token, form.cleaned_data["reason"], now)
    context = {"visit": visit, "form": form, "back": reverse("portal:manage", args=[token]), "by_link": True}
    return render(request, "portal/appointments/cancel.html", context)


def _cancel(request: HttpRequest, visit: Visit, token: str, reason: str, now: datetime) -> HttpResponse:
    cancelled = StatusRequest(reason={"text": reason} if reason else None)
    try:
        booking.cancel(visit.id, cancelled, caller=manage_links.caller_by_link(visit), now=now)
        messages.success(request, _("Your visit has been cancelled."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:manage", token)


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/appointments/expired.html", status=410)
