"""The columns of the sites, people, rooms, devices and services of the clinic as CSV files."""

from django.utils.translation import gettext_lazy as _

from clinic import addresses
from clinic.models import Device, HealthcareService, Location, Practitioner
from clinic.service_types import names_of
from clinic.translations import text_of
from portal.common.csv_lists import Column, CsvList, PhoneColumn


def _sites(person: Practitioner) -> str:
    """The sites at which the person has a calendar."""
    bookable = getattr(person, "bookable", None)
    schedules = bookable.schedules.all() if bookable else ()
    there = (each for each in schedules if each.active and each.site and not each.deleted_at)
    return ", ".join(dict.fromkeys(text_of(each.site, "name") for each in there))


def _place(row: Location | Device) -> Location | None:
    return row.location if isinstance(row, Device) else row.part_of


SITES: CsvList[Location] = CsvList(
    name="sites",
    columns=(
        Column(_("Name"), lambda site: text_of(site, "name")),
        Column(_("Address"), addresses.on_one_line),
        PhoneColumn(_("Phone"), lambda site: site.phone),
        Column(_("Time zone"), lambda site: site.timezone),
        Column(_("Status"), lambda site: site.get_status_display()),
    ),
)
PEOPLE: CsvList[Practitioner] = CsvList(
    name="people",
    columns=(
        Column(_("Name"), str),
        Column(_("Site"), _sites),
        PhoneColumn(_("Phone"), lambda person: person.phone),
        Column(_("Email"), lambda person: person.email),
        Column(_("Status"), lambda person: _("Active") if person.active else _("Does not work here any more")),
    ),
)
ROOMS: CsvList[Location | Device] = CsvList(
    name="rooms and devices",
    columns=(
        Column(_("Kind"), lambda row: _("Device") if isinstance(row, Device) else _("Room")),
        Column(_("Name"), lambda row: text_of(row, "name")),
        Column(_("Site"), lambda row: text_of(_place(row), "name")),
        Column(_("Status"), lambda row: row.get_status_display()),
    ),
)
SERVICES: CsvList[HealthcareService] = CsvList(
    name="services",
    columns=(
        Column(_("Name"), lambda service: text_of(service, "name")),
        Column(_("Service type"), lambda service: ", ".join(names_of(service.type))),
        Column(_("Who can book it"), lambda service: service.get_bookable_by_display()),
        Column(_("Status"), lambda service: _("Active") if service.active else _("Not offered any more")),
    ),
)
