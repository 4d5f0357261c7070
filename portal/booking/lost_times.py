"""The page for a time that the patient cannot have any more."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clinic.models import HealthcareService
from portal.common.callers import caller_of
from portal.finding import times
from portal.finding.times import Menu
from portal.finding.times_page import requested_zone

Loss = Literal[
    "taken", "passed", "gone", "hold-ended", "let-go", "paid-late"
]  # why; templates/portal/booking/lost.html has the words

REFUSED = "refused"  # the parameter of a page that says why a time could not be held


def lost(request: HttpRequest, menu: Menu, start: datetime, loss: Loss, *, kept: bool, now: datetime) -> HttpResponse:
    """Render the page for a time that the patient cannot have any more: why, and the nearest free times."""
    context = {
        "service": menu.service,
        "loss": loss,
        "kept": kept,
        "menu": menu,
        "alternatives": times.nearest(menu, start, now=now),
    }
    return render(request, "portal/booking/lost.html", context, status=409)


def menu_of(request: HttpRequest, service: HealthcareService) -> Menu:
    """Return the service's menu for the caller, in the time zone that was chosen with the time."""
    zone, patient = requested_zone(request, service), caller_of(request).only_patient
    return replace(times.read_menu(service), zone=zone, patient=patient)
