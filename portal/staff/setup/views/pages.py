"""Views of the page "Set up", and of the steps that show more than they ask."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic import formats, phones
from clinic.country import clinic_country, clinic_zone
from clinic.models import HealthcareService
from portal.common.callers import caller_of, manager_required
from portal.common.htmx import HtmxRequest
from portal.finding import catalogue
from portal.finding.times_page import free_times
from portal.staff.hours.checklist import checklist
from portal.staff.setup import steps
from portal.staff.setup.links import LINKS
from scheduling.setup import progress

FILES, CONSOLE = "filebased", "console"  # in the names of mail backends that send nothing


@manager_required
@require_GET
def setup(request: HttpRequest) -> HttpResponse:
    """Show the steps with what is missing, and links to what managers set rarely."""
    found = progress()
    states = steps.states(found)
    entries = checklist(caller_of(request), now=timezone.now()) if found.services else []
    context = {
        "states": states,
        "missing": steps.next_missing(states),
        "is_empty": not (found.sites or found.services),
        "blocked": [entry for entry in entries if not entry.verdict.can_be_booked],
        "bookable": [entry for entry in entries if entry.verdict.can_be_booked],
        "links": [link for link in LINKS if caller_of(request).bounds(link.action).everywhere],
    }
    return render(request, "portal/staff/setup/index.html", context)


@manager_required
@require_GET
def clinic(request: HttpRequest) -> HttpResponse:
    """Show what the settings of the server say about the clinic."""
    territories = formats.conventions().locale.territories
    facts = [
        (_("Name"), settings.CLINIC_NAME, "CLINIC_NAME"),
        (_("Country"), territories.get(clinic_country(), clinic_country()), "CLINIC_COUNTRY"),
        (_("Time zone"), clinic_zone().key, "CLINIC_TIME_ZONE"),
        (_("Phone"), phones.display(settings.CLINIC_PHONE) if settings.CLINIC_PHONE else "", "CLINIC_PHONE"),
        (_("Email"), settings.CLINIC_EMAIL, "CLINIC_EMAIL"),
    ]
    return render(request, "portal/staff/setup/clinic.html", {"facts": facts, **steps.around("setup-clinic")})


@manager_required
@require_GET
def messages(request: HttpRequest) -> HttpResponse:
    """Show the media by which patients get messages, and when they are reminded."""
    backend = settings.EMAIL_BACKEND
    context: dict[str, Any] = {
        "sends_email": FILES not in backend and CONSOLE not in backend,
        "sender": settings.DEFAULT_FROM_EMAIL,
        "sends_texts": settings.SMS_ENABLED,
        "quiet": settings.QUIET_HOURS,
        "services": HealthcareService.objects.filter(active=True, deleted_at=None),
    }
    return render(request, "portal/staff/setup/messages.html", {**context, **steps.around("setup-messages")})


@manager_required
@require_GET
def preview(request: HttpRequest) -> HttpResponse:
    """Show the page of times of a service as patients see it, and what keeps services from being booked."""
    now = timezone.now()
    offered = list(catalogue.bookable())
    context: dict[str, Any] = {
        "offered": offered,
        "entries": checklist(caller_of(request), now=now),
    }
    if offered:
        service_id = request.GET.get("service") or offered[0].fhir_id
        service = get_object_or_404(catalogue.with_facts(), fhir_id=service_id)
        context |= free_times(cast(HtmxRequest, request), service, now=now)
    return render(request, "portal/staff/setup/preview.html", {**context, **steps.around("setup-preview")})
