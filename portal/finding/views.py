"""Views of the pages that list services and their times."""

from typing import TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from clinic import addresses, visit_place
from clinic.models import Location, Practitioner, PractitionerPhoto, Resource
from portal.common import tickets
from portal.common.callers import may_be_behind
from portal.common.htmx import HtmxRequest, is_part
from portal.common.people import languages_spoken
from portal.finding import catalogue, positions, profiles
from portal.finding.catalogue import Catalogue, bookable
from portal.finding.courses import course_choice
from portal.finding.forms import PositionForm, ServicesForm
from portal.finding.times_page import free_times

R = TypeVar("R", bound=Resource)
CARRIED = ("practitioner", "location", "plan", "date")  # query parameters kept from the services to the times


@require_GET
@vary_on_headers("HX-Request")
def services(request: HtmxRequest) -> HttpResponse:
    """List the services that patients can book. With only one, or one named by a link, redirect to its times."""
    form = ServicesForm(request.GET)
    practitioner = _linked(Practitioner, form.value("practitioner"))
    location = _linked(Location, form.value("location"))
    listed = catalogue.read_catalogue(
        search=form.value("q") or "",
        eligibility=form.value("eligibility") or "",
        by=form.value("by") or "",
        plan=form.value("plan") or "",
        practitioner=practitioner,
        location=location,
        referred=tickets.services(request.session),
    )
    unknown = [
        name
        for name, found in (
            ("service", form.value("service") in {each.fhir_id for each in listed.services}),
            ("practitioner", practitioner),
            ("location", location),
        )
        if form.value(name) and not found
    ]
    carried = _carried(form, without=unknown)
    chosen = _only_one(form, listed, unknown)
    if chosen and not is_part(request):
        return HttpResponseRedirect(reverse("portal:choose-time", args=[chosen]) + carried)
    context = {
        "catalogue": listed,
        "searched": form.value("q"),
        "eligibility": form.value("eligibility"),
        "by": form.value("by"),
        "plan": form.value("plan"),
        "practitioner": practitioner,
        "location": location,
        "date": form.value("date"),
        "carried": carried,
        "unknown": unknown,
    }
    return render(request, f"portal/finding/{'_services' if is_part(request) else 'services'}.html", context)


@require_GET
@vary_on_headers("HX-Request")
@may_be_behind
def choose_time(request: HtmxRequest, service_id: str) -> HttpResponse:
    """Show a week or a month of free times; for htmx only the part that changes."""
    referred = tickets.services(request.session)
    service = get_object_or_404(catalogue.with_facts(referred), fhir_id=service_id)
    context = free_times(request, service, now=timezone.now())
    course = context["course"] = course_choice(service, request.GET)
    context["action"] = reverse("portal:course" if course and course.chosen else "portal:hold", args=[service.fhir_id])
    if not (course and course.chosen):
        context["wait_page"] = f"{reverse('portal:wait', args=[service.fhir_id])}?{request.GET.urlencode()}"
    if is_part(request):
        return render(request, "portal/finding/_times.html", context)
    context["is_only_visit"] = not bookable(referred).exclude(pk=service.pk).exists()
    return render(request, "portal/finding/choose_time.html", context)


@require_GET
def practitioner(request: HttpRequest, practitioner_id: str) -> HttpResponse:
    """Show a practitioner: who they are, where they work, and what can be booked with them."""
    rows = Practitioner.objects.filter(active=True, deleted_at=None).select_related("bookable")
    person = get_object_or_404(rows, fhir_id=practitioner_id)
    profile = profiles.practitioner_profile(person, now=timezone.now())
    context = {
        "person": person,
        "offers": profile.offers,
        "sites": profiles.sites_of(person),
        "spoken": languages_spoken(person),
        "specialties": profiles.specialties_of(person),
    }
    return render(request, "portal/finding/practitioner.html", context)


@require_GET
def site(request: HttpRequest, site_id: str) -> HttpResponse:
    """Show a site: where it is, how to get there, when it is open, and what can be booked there."""
    rows = Location.objects.filter(status=Location.Status.ACTIVE, part_of=None, deleted_at=None)
    place = get_object_or_404(rows, fhir_id=site_id)
    now = timezone.now()
    profile = profiles.site_profile(place, now=now)
    context = {
        "site": place,
        "address": addresses.lines(place),
        "map_url": visit_place.map_url(place),
        "phone": visit_place.phone_of(place),
        "offers": profile.offers,
        "hours": profiles.opening_hours(place, profile.menus, today=now.astimezone(profiles.zone_of(place)).date()),
        "people": profiles.people_at(place),
    }
    return render(request, "portal/finding/site.html", context)


@require_GET
def photo(request: HttpRequest, digest: str) -> HttpResponse:
    """Return the photo of a practitioner. Its address names its content, so browsers may keep it for ever."""
    found = PractitionerPhoto.objects.filter(digest=digest, practitioner__active=True, practitioner__deleted_at=None)
    image = found.values_list("image", flat=True).first()
    if image is None:
        raise Http404
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(image), content_type="image/jpeg", headers=headers)


@require_POST
def near(request: HttpRequest) -> HttpResponse:
    """Store or forget the patient's rounded position, and go back to the page before."""
    form = PositionForm(request.POST)
    if "forget" in request.POST:
        positions.forget(request.session)
    elif form.is_valid():
        positions.remember(request.session, **form.cleaned_data)
    else:
        messages.error(request, _("Your browser did not share your location. Choose a place from the list instead."))
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours else "portal:services")


def _linked(model: type[R], fhir_id: str | None) -> R | None:
    """Return the practitioner or location that a link names, or None."""
    return model._default_manager.filter(fhir_id=fhir_id, deleted_at=None).first() if fhir_id else None


def _only_one(form: ServicesForm, listed: Catalogue, unknown: list[str]) -> str | None:
    """Return the id of the service that a link names, or of the only service there is."""
    if unknown:
        return None
    if form.value("service"):
        return str(form.value("service"))
    is_search = any(form.value(name) for name in ("q", "eligibility", "by", "plan"))
    return listed.found[0].fhir_id if len(listed.found) == 1 and not is_search else None


def _carried(form: ServicesForm, *, without: list[str]) -> str:
    """Return the query parameters that the page of times takes over from a link."""
    values = {name: form.value(name) for name in CARRIED if form.value(name) and name not in without}
    return f"?{urlencode(values)}" if values else ""
