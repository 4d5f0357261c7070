"""Preferences of a guest for the waiting list, kept in the session until the guest has said who they are."""

from datetime import datetime

from django.http import HttpRequest, QueryDict

from clinic.models import HealthcareService
from portal.finding import times
from portal.waitlist.forms import PreferencesForm

_KEY = "waitlist"


def keep(request: HttpRequest, service: HealthcareService) -> None:
    """Keep the posted preferences for a service."""
    request.session[_KEY] = {"service": service.fhir_id, "fields": request.POST.urlencode()}


def kept(request: HttpRequest, service: HealthcareService, *, now: datetime) -> PreferencesForm | None:
    """Return the kept preferences for a service as a form; None if there are none, or they are no longer valid."""
    found = request.session.get(_KEY, {})
    if found.get("service") != service.fhir_id:
        return None
    form = PreferencesForm(QueryDict(found["fields"]), menu=times.read_menu(service), now=now)
    return form if form.is_valid() else None


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)
