"""Views of the sites, people, rooms, devices, services and calendars that a manager enters."""

from collections.abc import Callable
from itertools import chain

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinic.models import Device, HealthcareService, Location, Practitioner, Schedule
from portal.common import csv_lists, form_drafts
from portal.common.callers import caller_of, manager_required
from portal.common.schedules import SCHEDULE
from portal.staff.setup.downloads import PEOPLE, ROOMS, SITES
from portal.staff.setup.editing import row_of, row_page
from portal.staff.setup.forms import CalendarForm, NewServiceForm, PersonForm, PlaceForm, RowForm, ServiceForm, SiteForm
from portal.staff.setup.steps import around
from scheduling import setup

EDIT = "portal/staff/setup/edit.html"


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def sites(request: HttpRequest) -> HttpResponse:
    """List the sites, and add one."""
    rows = Location.objects.filter(part_of=None, deleted_at=None)
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, SITES, rows, now=timezone.now())
    form = form_drafts.form(request, SiteForm, row=Location(), now=timezone.now())
    return row_page(
        request,
        form,
        _place_saver(request),
        template="portal/staff/setup/sites.html",
        back="portal:setup-sites",
        rows=rows,
        **around("setup-sites"),
    )


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def site(request: HttpRequest, site_id: str) -> HttpResponse:
    """Change a site."""
    row = row_of(Location, site_id, part_of=None)
    form = form_drafts.form(request, SiteForm, row=row, now=timezone.now())
    return row_page(request, form, _place_saver(request), template=EDIT, back="portal:setup-sites", row=row)


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def people(request: HttpRequest) -> HttpResponse:
    """List the practitioners, and add one."""
    rows = Practitioner.objects.filter(deleted_at=None).order_by("-active", "family", "given", "pk")
    rows = rows.prefetch_related("bookable__schedules__site")
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, PEOPLE, rows, now=timezone.now())
    form = form_drafts.form(request, PersonForm, row=Practitioner())
    return row_page(
        request,
        form,
        _person_saver(request),
        template="portal/staff/setup/people.html",
        back="portal:setup-people",
        rows=rows,
        has_sites=Location.objects.filter(part_of=None, deleted_at=None).exists(),
        **around("setup-people"),
    )


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def person(request: HttpRequest, practitioner_id: str) -> HttpResponse:
    """Change a practitioner."""
    row = row_of(Practitioner, practitioner_id)
    form = form_drafts.form(request, PersonForm, row=row)
    calendars = Schedule.objects.filter(bookable__practitioner=row, deleted_at=None).select_related("site")
    return row_page(
        request, form, _person_saver(request), template=EDIT, back="portal:setup-people", row=row, calendars=calendars
    )


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def rooms(request: HttpRequest) -> HttpResponse:
    """List the rooms and devices, and add one."""
    rooms_of_sites = Location.objects.filter(deleted_at=None).exclude(part_of=None).select_related("part_of")
    devices = Device.objects.filter(deleted_at=None).select_related("location")
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, ROOMS, chain[Location | Device](rooms_of_sites, devices), now=timezone.now())
    form = form_drafts.form(request, PlaceForm, row=Location())
    return row_page(
        request,
        form,
        _place_saver(request),
        template="portal/staff/setup/rooms.html",
        back="portal:setup-rooms",
        rooms=rooms_of_sites,
        devices=devices,
        has_sites=Location.objects.filter(part_of=None, deleted_at=None).exists(),
        **around("setup-rooms"),
    )


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def room(request: HttpRequest, room_id: str) -> HttpResponse:
    """Change a room."""
    row = row_of(Location, room_id, part_of__isnull=False)
    form = form_drafts.form(request, PlaceForm, row=row)
    return row_page(request, form, _place_saver(request), template=EDIT, back="portal:setup-rooms", row=row)


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def device(request: HttpRequest, device_id: str) -> HttpResponse:
    """Change a device."""
    row = row_of(Device, device_id)
    form = form_drafts.form(request, PlaceForm, row=row)
    return row_page(request, form, _place_saver(request), template=EDIT, back="portal:setup-rooms", row=row)


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def service(request: HttpRequest, service_id: str = "") -> HttpResponse:
    """Add or change a visit that can be booked."""
    row = row_of(HealthcareService, service_id) if service_id else HealthcareService()
    form = form_drafts.form(request, ServiceForm if service_id else NewServiceForm, row=row)

    def save(form: RowForm) -> None:
        assert isinstance(form, ServiceForm)
        setup.save_service(
            row,
            form.values,
            form.parameters,
            own_type=form.cleaned_data["own_type"],
            version=form.known_version,
            caller=caller_of(request),
            now=timezone.now(),
        )

    return row_page(request, form, save, template=EDIT, back="portal:setup-services", row=row, service=row)


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def calendar(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """Change which visits a calendar offers."""
    row = row_of(Schedule, schedule_id, bookable__patient=None)
    form = form_drafts.form(request, CalendarForm, row=row)

    def save(form: RowForm) -> None:
        setup.save_calendar(
            row,
            form.values,
            form.cleaned_data["services"],
            version=form.known_version,
            caller=caller_of(request),
            now=timezone.now(),
        )

    named = Schedule.objects.select_related(*SCHEDULE).get(pk=row.pk)
    return row_page(request, form, save, template=EDIT, back="portal:setup-hours", row=row, calendar=named)


def _place_saver(request: HttpRequest) -> Callable[[RowForm], None]:
    def save(form: RowForm) -> None:
        place = form.place if isinstance(form, PlaceForm) else form.row
        assert isinstance(place, (Location, Device))
        setup.save_place(place, form.values, version=form.known_version, caller=caller_of(request), now=timezone.now())

    return save


def _person_saver(request: HttpRequest) -> Callable[[RowForm], None]:
    def save(form: RowForm) -> None:
        assert isinstance(form.row, Practitioner)
        sites = form.cleaned_data["sites"]
        setup.save_person(
            form.row,
            form.values,
            sites,
            specialties=form.cleaned_data.get("specialties"),
            version=form.known_version,
            caller=caller_of(request),
            now=timezone.now(),
        )

    return save
