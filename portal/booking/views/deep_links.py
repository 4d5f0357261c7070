"""View for a published link to one time: https://hl7.org/fhir/uv/smart-scheduling-links

A script on the page holds the time; without scripts there is a button. The GET itself changes nothing, so a mail
program that opens links to check them for viruses holds no time.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.booking import holds, referrals, steps
from portal.booking.lost_times import lost, menu_of
from portal.common import tickets
from portal.common.callers import caller_of
from portal.finding.catalogue import bookable
from portal.finding.forms import TimeForm
from scheduling import requirements


@require_GET
@never_cache
def deep_link(request: HttpRequest, service_id: str) -> HttpResponse:
    """Show the linked time with a button that holds it, or the nearest free times if it is taken.

    A browser that holds the time already goes on to the next step.
    """
    now = timezone.now()
    service = get_object_or_404(bookable(tickets.services(request.session)), fhir_id=service_id)
    referrals.remember(request)
    form = TimeForm(request.GET)
    if not form.is_valid():
        messages.error(request, _("The time in that link is not valid. Choose one of the times below."))
        return redirect("portal:choose-time", service_id)
    start, schedules = form.cleaned_data["time"]
    held = holds.standing(request, caller_of(request), now=now)
    if held and (held.appointment.service, held.appointment.start) == (service, start):
        return redirect(steps.next_page(held.appointment, caller_of(request)))
    menu = menu_of(request, service)
    choice = menu.choice_with(schedules[0], start, now=now)
    if choice is None:
        return lost(request, menu, start, "gone" if start > now else "passed", kept=False, now=now)
    asks = requirements.active_questionnaires(service).exists()
    context = {"service": service, "menu": menu, "choice": choice, "asks": asks, "linked": True}
    response = render(request, "portal/booking/chosen.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response
