"""A hold becomes a booking, or is let go."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import visits
from portal.callers import caller_of, patient_of, patient_required
from portal.forms import ConfirmForm
from portal.views.holding import HELD, lost
from portal.visits import Visit
from scheduling import booking
from scheduling.errors import HoldExpired, IllegalTransition, SchedulingError


@patient_required
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """The summary of a held time and the button that books it. Asked again, it shows what was booked."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    if visit.is_booked:
        return redirect("portal:booked", visit.id)
    sent = request.POST if request.method == "POST" else None
    form = ConfirmForm(sent, initial={"comment": visit.appointment.comment})
    if form.is_valid():
        return _confirm(request, visit, form.cleaned_data["comment"], now)
    if not visit.is_held:
        return _too_late(request, visit, visit.appointment.comment, now)
    return render(request, "portal/booking/confirm.html", {"visit": visit, "form": form, "now": now})


def _confirm(request: HttpRequest, visit: Visit, comment: str, now: datetime) -> HttpResponse:
    try:
        booking.confirm(visit.id, caller=caller_of(request), now=now, comment=comment)
    except (HoldExpired, IllegalTransition):
        again = own_visit(request, visit.id, now)  # pressed twice, the first one has booked it
        return redirect("portal:booked", visit.id) if again.is_booked else _too_late(request, again, comment, now)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:confirm", visit.id)
    request.session.pop(HELD, None)
    return redirect("portal:booked", visit.id)


def _too_late(request: HttpRequest, visit: Visit, comment: str, now: datetime) -> HttpResponse:
    """The same time is among the alternatives if nobody has taken it."""
    if visit.appointment.service is None:
        raise Http404
    what = _("The time was held for you for a while, and the hold has ended.")
    return lost(request, visit.appointment.service, visit.start, what, comment, now=now)


@patient_required
@require_GET
def booked(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """What was booked, where it is written, how to change it."""
    visit = own_visit(request, appointment_id, timezone.now())
    if not visit.is_booked:
        return redirect("portal:visit", visit.id)
    return render(request, "portal/booking/booked.html", {"visit": visit})


@patient_required
@require_POST
def let_go(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Give a held time back and choose another."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    if visit.is_booked:
        return redirect("portal:visit", visit.id)
    try:
        booking.cancel(visit.id, caller=caller_of(request), now=now)
    except IllegalTransition:
        pass  # it has ended by itself
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:visits")
    request.session.pop(HELD, None)
    if visit.appointment.service is None:
        return redirect("portal:services")
    return redirect("portal:choose-time", visit.appointment.service.fhir_id)


def own_visit(request: HttpRequest, appointment_id: str, now: datetime) -> Visit:
    """The patient's visit, or 404: another's does not exist for them."""
    visit = visits.one(caller_of(request), patient_of(request), appointment_id, now=now)
    if visit is None:
        raise Http404
    return visit
