"""Views of paying for a held time: the amount and the terms, the wait for the provider, and its webhook."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from clinic.models import HealthcareService, Payment
from portal.appointments.visits import Visit, own_visit
from portal.booking import holds, steps
from portal.booking.finishing import finish
from portal.booking.forms import PayForm
from portal.booking.held_pages import hold_required
from portal.booking.lost_times import lost, menu_of
from portal.common import form_drafts
from portal.common.callers import caller_of, visitor_required
from portal.common.middleware import content_security_policy
from scheduling import booking, payments
from scheduling.errors import HoldExpired, IllegalTransition, ScheduleBusy, SchedulingError
from scheduling.notifications import links
from scheduling.payments import Declined, ProviderUnavailable, UnknownEvent

LOOKS_AGAIN = 4  # seconds
UNSETTLED = (ProviderUnavailable, Declined, ScheduleBusy)  # the sweep tries again


@require_http_methods(["GET", "POST"])
@hold_required
def pay(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Show what is paid and the terms. Once they are agreed to, redirect to the provider's page."""
    is_ready = steps.is_for_own(visit.appointment, caller_of(request)) and not steps.obstacles(visit)
    if not is_ready or not booking.prepayment_of(visit.appointment):
        return redirect(steps.page_of(visit, steps.CONFIRM))
    form = form_drafts.form(request, PayForm)
    if request.method == "POST" and form.is_valid() and payments.is_set_up():
        return _pay(request, visit, form, now)
    return _review(request, visit, form, now)


@never_cache
@visitor_required
@require_http_methods(["GET", "POST"])
def payment(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Wait until the payment is settled: the page loads itself again. POST asks the provider now."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    latest = booking.latest_payment_of(visit.appointment)
    if latest is None:
        return redirect("portal:pay", visit.id)
    if request.method == "POST":
        try:
            booking.settle_payment(latest, now=now)
        except UNSETTLED:
            messages.error(request, _("We cannot reach the payment service at the moment. We keep trying."))
        return redirect("portal:payment", visit.id)
    if visit.is_promised:
        finish(request)
        return redirect("portal:booked", visit.id)
    if latest.is_open:
        response = render(request, "portal/booking/payment.html", {"visit": visit, "payment": latest})
        response["Refresh"] = str(LOOKS_AGAIN)
        return response
    if latest.status == Payment.Status.RELEASED and visit.appointment.service is not None:
        menu = menu_of(request, visit.appointment.service)
        return lost(request, menu, visit.start, "paid-late", kept=True, now=now)
    return redirect("portal:pay", visit.id)


@csrf_exempt  # the provider signs its requests
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Settle the payment that an event of the provider is about."""
    if not payments.is_set_up():
        raise Http404
    try:
        signature = request.headers.get("Stripe-Signature", "")
        session = payments.provider().session_of_event(request.body, signature)
        booking.settle_session(session, now=timezone.now())
    except UnknownEvent:
        return HttpResponseBadRequest()
    except UNSETTLED:
        return HttpResponse(status=503)  # the provider sends the event again
    return HttpResponse(status=204)


def _pay(request: HttpRequest, visit: Visit, form: PayForm, now: datetime) -> HttpResponse:
    try:
        begun = booking.start_payment(visit.id, caller=caller_of(request), now=now)
        holds.remember(request.session, own_visit(request, visit.id, now))
        address = booking.open_checkout(
            begun,
            success_url=links.absolute(reverse("portal:payment", args=[visit.id])),
            cancel_url=f"{links.absolute(reverse('portal:pay', args=[visit.id]))}?cancelled",
            language=get_language() or "",
            now=now,
        )
    except (HoldExpired, IllegalTransition):
        raise  # hold_required shows what happened to the hold
    except (ProviderUnavailable, Declined):
        form.add_error(
            None, _("The payment page cannot be opened at the moment. Nothing was charged. Please try again.")
        )
        return _review(request, visit, form, now)
    except SchedulingError as refusal:
        for issue in refusal.issues:
            form.add_error(None, issue.text)
        return _review(request, visit, form, now)
    form_drafts.done(request)
    return redirect(address)


def _review(request: HttpRequest, visit: Visit, form: PayForm, now: datetime) -> HttpResponse:
    context = {
        "visit": visit,
        "form": form,
        "now": now,
        "progress": steps.progress(visit, caller_of(request), steps.PAY),
        "keeps_card": booking.prepayment_of(visit.appointment) == HealthcareService.Prepayment.CARD,
        "terms": booking.terms_for(visit.appointment),
        "can_pay": payments.is_set_up(),
        "was_cancelled": "cancelled" in request.GET,
    }
    response = render(request, "portal/booking/pay.html", context)
    response["Content-Security-Policy"] = content_security_policy(forms=payments.checkout_origin())
    return response
