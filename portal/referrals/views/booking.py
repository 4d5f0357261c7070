"""View in which a referrer chooses a time for the patient of a referral, and books it."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from portal.booking.lost_times import menu_of
from portal.booking.referrals import elements
from portal.common.callers import caller_of, referrer_required
from portal.common.htmx import HtmxRequest, is_part
from portal.finding import catalogue
from portal.finding.forms import TimeForm
from portal.finding.times_page import free_times
from portal.referrals.own_referrals import own_referral
from scheduling import booking
from scheduling.booking import TICKET_EXPRESSION, BookingRequest
from scheduling.errors import RuleBroken, SchedulingError, TimeNotOffered, TimeTaken
from scheduling.referrals import Referral, ReferralState


@referrer_required
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def book(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Let the referrer choose a time, and book it once they have confirmed it."""
    now = timezone.now()
    referral = own_referral(request, referral_id, now)
    back = reverse("portal:referral", args=[referral_id])
    if referral.state != ReferralState.OPEN or referral.row.patient is None or referral.row.service is None:
        return redirect(back)
    if request.method == "POST" or "time" in request.GET:
        return _choose(request, referral, back, now)
    service = catalogue.with_facts([referral.row.service.fhir_id]).filter(pk=referral.row.service.pk).first()
    if service is None:
        messages.error(request, _("This visit cannot be booked here any more. Please call the clinic."))
        return redirect(back)
    htmx_request = cast(HtmxRequest, request)
    context = free_times(htmx_request, service, now=now)
    context |= {"action": request.path, "referral": referral, "back": back}
    part = "_times" if is_part(htmx_request) else "choose_time"
    return render(request, f"portal/finding/{part}.html", context)


def _choose(request: HttpRequest, referral: Referral, back: str, now: datetime) -> HttpResponse:
    """Ask for confirmation; then book the visit."""
    form = TimeForm(request.POST if request.method == "POST" else request.GET)
    service, patient = referral.row.service, referral.row.patient
    assert service is not None  # book
    if not form.is_valid():
        messages.error(request, _("Choose one of the times below."))
        return redirect(request.path)
    if request.method == "POST" and "confirm" not in request.POST:
        return redirect(
            f"{request.path}?{urlencode({'time': request.POST['time'], 'zone': request.POST.get('zone', '')})}"
        )
    start, schedules = form.cleaned_data["time"]
    menu = menu_of(request, service)
    try:
        offerings = menu.offerings(schedules)
        if request.method == "GET":
            context = {"referral": referral, "choice": menu.choice_of(offerings, start), "menu": menu, "back": back}
            return render(request, "portal/referrals/confirm.html", context)
        booking.book(
            BookingRequest(
                service=service,
                offerings=offerings,
                start=start,
                patient=patient,
                extra=elements(request.session, referral.row),
            ),
            caller=caller_of(request),
            now=now,
        )
    except (TimeTaken, TimeNotOffered):
        messages.error(request, _("That time has just been taken. Choose another time."))
        return redirect(f"{request.path}?date={start:%Y-%m-%d}")
    except SchedulingError as refusal:
        messages.error(request, _refusal(refusal))
        return redirect(back)
    messages.success(request, _("The visit is booked. The clinic will tell the patient."))
    return redirect(back)


def _refusal(refusal: SchedulingError) -> str:
    """Return the refusal in words that tell a referrer nothing about the patient's record."""
    about_patient = isinstance(refusal, RuleBroken) and refusal.issues[0].expression != TICKET_EXPRESSION
    if about_patient:
        return _("This visit cannot be booked for the patient here. Give them the link, or call the clinic.")
    return str(refusal)
