"""Joining the waiting list, for the pages of patients and of guests."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from clinic.models import Appointment, HealthcareService
from portal.common import form_drafts
from portal.finding import catalogue
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import WaitlistRequest
from scheduling.errors import SchedulingError


def add(request: HttpRequest, form: Any, wait: WaitlistRequest, caller: Caller, now: datetime) -> Appointment | None:
    """Put the patient on the list, and say so; the form has the error if that is refused."""
    try:
        entry = booking.join_waitlist(wait, caller=caller, now=now)
    except SchedulingError as refusal:
        form.add_error(None, " ".join(issue.text for issue in refusal.issues))
        return None
    form_drafts.done(request)
    messages.success(request, _("You are on the waiting list. We tell you as soon as a time comes free."))
    return entry


def waiting_service(service_id: str) -> HealthcareService:
    """Return the service with this id, if it has a waiting list. Raises Http404."""
    service = get_object_or_404(catalogue.with_facts(), fhir_id=service_id)
    if not service.has_waitlist:
        raise Http404
    return service
