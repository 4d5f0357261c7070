"""Views that turn a hold into a booking."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from clinic import money
from clinic.models import Appointment, Coverage
from portal.appointments import visits
from portal.appointments.same_day import others_on_the_day
from portal.appointments.visits import Visit, own_visit
from portal.booking import held_together, steps
from portal.booking.cards import show_cards
from portal.booking.finishing import finish
from portal.booking.forms import ConfirmForm
from portal.booking.held_pages import hold_required
from portal.common import form_drafts
from portal.common.callers import caller_of
from scheduling import booking
from scheduling.errors import HoldExpired, IllegalTransition, SchedulingError

__all__ = ["booked", "confirm"]


@require_http_methods(["GET", "POST"])
@hold_required
def confirm(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Show the summary and the button that books. Once it is booked, redirect to the booked visit."""
    caller = caller_of(request)
    change = request.POST.get("change")
    if change in (*steps.of(visit, caller), steps.ABOUT, steps.NEEDS):
        form_drafts.keep(request)
        return redirect(steps.page_of(steps.first_with(change, visit.appointment), change))
    if not steps.is_for_own(visit.appointment, caller):
        return redirect(steps.page_of(visit, steps.ABOUT))
    others = others_on_the_day(visit.appointment, visit.start, visit.zone, caller=caller)
    same_day = visits.for_patient(others, now=now)
    form = form_drafts.form(request, ConfirmForm, same_day=same_day, initial={"comment": visit.appointment.comment})
    if request.method == "POST" and form.is_valid():
        return _confirm(request, visit, form, now)
    return _review(request, visit, form, now)


@require_GET
def booked(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show what was booked, how to prepare and how to change it."""
    visit = own_visit(request, appointment_id, timezone.now())
    if not visit.is_promised:
        return redirect("portal:visit", visit.id)
    caller = caller_of(request)
    context = {"visit": visit, "is_guest": caller.user is None, "together": visits.together(visit, caller)}
    return render(request, "portal/booking/booked.html", context)


def _confirm(request: HttpRequest, visit: Visit, form: ConfirmForm, now: datetime) -> HttpResponse:
    if steps.PAY in steps.of(visit, caller_of(request)):
        return _go_on_to_payment(request, visit, form, now)
    try:
        confirmation = booking.ConfirmRequest(comment=form.cleaned_data["comment"])
        booked_visit = held_together.confirm(visit, confirmation, caller=caller_of(request), now=now)
    except (HoldExpired, IllegalTransition):
        raise  # hold_required shows what happened to the hold
    except SchedulingError as refusal:
        if steps.obstacles(visit):  # the page says what is missing, and links to where it is entered
            form_drafts.keep(request)
            return redirect(request.path)
        for issue in refusal.issues:
            form.add_error(None, issue.text)
        return _review(request, visit, form, now)
    finish(request)
    show_cards(request, booked_visit)
    return redirect("portal:booked", visit.id)


def _go_on_to_payment(request: HttpRequest, visit: Visit, form: ConfirmForm, now: datetime) -> HttpResponse:
    """Keep what was typed with the hold, which is booked once it is paid."""
    if steps.obstacles(visit):
        form_drafts.keep(request)
        return redirect(request.path)
    booking.annotate(visit.id, {"comment": form.cleaned_data["comment"]}, caller=caller_of(request), now=now)
    form_drafts.done(request)
    return redirect(steps.page_of(visit, steps.PAY))


def _review(request: HttpRequest, visit: Visit, form: ConfirmForm, now: datetime) -> HttpResponse:
    """Render the summary, with what is still missing."""
    caller = caller_of(request)
    together = visits.together(visit, caller)
    context = {
        "visit": visit,
        "form": form,
        "now": now,
        "progress": steps.progress(visit, caller, steps.CONFIRM),
        "steps": steps.of(visit, caller),
        "answered": steps.QUESTIONS in steps.of(visit, caller) and not steps.unanswered(visit.appointment),
        "coverage": _coverage(visit.appointment),
        "obstacles": steps.obstacles(visit),
        "together": together,
        "total": money.total_text(each.appointment.service for each in together) if together else "",
        "is_guest": caller.user is None,
        "asks_needs": steps.asks_needs(visit, caller),
    }
    return render(request, "portal/booking/confirm.html", context)


def _coverage(appointment: Appointment) -> Coverage | None:
    fhir_id = steps.coverage_of(appointment).partition("/")[2]
    return Coverage.objects.filter(fhir_id=fhir_id, beneficiary=appointment.patient_id).first() if fhir_id else None
