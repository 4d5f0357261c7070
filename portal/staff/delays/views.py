"""Views by which staff enter that somebody runs late, after a preview of the affected patients, and undo it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import time_text
from clinic.models import Location
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required, worker_required
from portal.staff.delays.forms import DelayForm, SayDelayForm
from portal.staff.delays.people import LatePerson, LateVisit, late_visits_of, people_at
from portal.staff.sites import chosen_site, sites
from scheduling import booking
from scheduling.booking import DelayRequest
from scheduling.errors import SchedulingError


@worker_required
@require_http_methods(["GET", "POST"])
def late(request: HttpRequest) -> HttpResponse:
    """Ask who runs late, show the affected patients, and on POST store it."""
    now = timezone.now()
    site, people = _read(request, now)
    if request.method == "POST":
        return _say(request, site, people, now)
    form = DelayForm(request.GET if "minutes" in request.GET else None, people=people)
    context: dict[str, Any] = {"site": site, "sites": sites(caller_of(request)), "people": people, "form": form}
    if form.is_bound and form.is_valid():
        person = _person(people, form.cleaned_data["person"])
        visits = _concerned(request, site, person, form.cleaned_data["minutes"], now)
        context |= {"person": person, "visits": visits, "to_tell": [each for each in visits if not each.has_arrived]}
    return render(request, "portal/staff/delays/late.html", context)


@staff_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Undo the last entry, while no patient has got a message about it."""
    now = timezone.now()
    site, people = _read(request, now)
    person = _person(people, request.POST.get("person", ""))
    try:
        booking.undo_delay(
            DelayRequest(bookable=person.bookable, site=site, minutes=0), caller=caller_of(request), now=now
        )
        messages.success(request, _("Undone. Nobody was told."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    return _back(site)


def _say(request: HttpRequest, site: Location, people: list[LatePerson], now: datetime) -> HttpResponse:
    form = SayDelayForm(request.POST, people=people)
    if not form.is_valid():
        raise Http404
    person, minutes = _person(people, form.cleaned_data["person"]), form.cleaned_data["minutes"]
    said = DelayRequest(bookable=person.bookable, site=site, minutes=minutes, tell=form.cleaned_data["tell"])
    try:
        booking.announce_delay(said, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return _back(site)
    if minutes:
        length = time_text.length(said.late)
        messages.success(request, _("%(name)s is about %(length)s late.") % {"name": person.name, "length": length})
    else:
        messages.success(request, _("%(name)s is on time again.") % {"name": person.name})
    return _back(site, undo=person.id)


def _read(request: HttpRequest, now: datetime) -> tuple[Location, list[LatePerson]]:
    """Return the requested site, and the people there with whom the caller works."""
    data = request.POST if request.method == "POST" else request.GET
    site = chosen_site(sites(caller_of(request)), data.get("site", ""))
    return site, people_at(site, caller=caller_of(request), now=now)


def _person(people: list[LatePerson], schedule_id: str) -> LatePerson:
    found = next((person for person in people if person.id == schedule_id), None)
    if found is None:
        raise Http404
    return found


def _concerned(
    request: HttpRequest, site: Location, person: LatePerson, minutes: int, now: datetime
) -> list[LateVisit]:
    caller = caller_of(request)
    said = DelayRequest(bookable=person.bookable, site=site, minutes=minutes)
    visits = late_visits_of(booking.preview_delay(said, caller=caller, now=now), site, caller=caller, now=now)
    disclosures.listed(caller, (visit.appointment for visit in visits), "running late", now=now)
    return visits


def _back(site: Location, **query: str) -> HttpResponse:
    return redirect(f"{reverse('portal:staff-late')}?{urlencode({'site': site.fhir_id, **query})}")
