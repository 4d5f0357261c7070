"""Rows that the lines of a file name: practitioners, services and sites by number or name, patients by number."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic import service_types
from clinic.country import clinic_zone
from clinic.fhir.schedules import ZONE_OF_HOURS, zone_of_hours
from clinic.fhir.services import own_parameters
from clinic.folding import joined
from clinic.models import (
    HealthcareService,
    ImportedRow,
    ImportKind,
    Location,
    Patient,
    Practitioner,
    Resource,
    Schedule,
)
from scheduling.imports.values import Unreadable

Json = service_types.Json
SEVERAL = re.compile(r"\s*[|;,]\s*")
R = TypeVar("R", bound=Resource)
Named = Mapping[str, list[R]]


class KnownRows:
    """Rows of the clinic, each kind read with one statement when the first line names one. `patients` are the numbers
    of the patients to read.
    """

    def __init__(self, patients: Collection[str] = ()) -> None:
        self._patient_numbers = frozenset(patients)

    def patient(self, number: str) -> str:
        """The reference of a patient, by the number in the other system or by the id here."""
        fhir_id = self._patients.get(number)
        if fhir_id is None:
            raise Unreadable(
                _("There is no patient with the number %(number)s. Import patients first.") % {"number": number}
            )
        return f"Patient/{fhir_id}"

    def practitioner(self, text: str) -> Practitioner:
        return _only(self._practitioners, text, _("There is no practitioner %(text)s. Import practitioners first."))

    def service(self, text: str) -> HealthcareService:
        return _only(self._services, text, _("There is no service %(text)s. Import services first."))

    def service_type(self, text: str) -> Json:
        """The concept of a service type, by its name in any language of the product or by X12's code."""
        found = self._service_types.get(joined(text))
        if found is None:
            raise Unreadable(_("%(text)s is not a service type. Choose one on the page of the visit.") % {"text": text})
        return found

    def service_names(self, text: str) -> list[str]:
        """The services in a cell: one, or several with a bar, a semicolon or a comma between them."""
        return [text] if joined(text) in self._services else [name for name in SEVERAL.split(text) if name]

    def site(self, text: str) -> Location | None:
        """The site; without a name the only one that there is."""
        if text:
            return _only(self._sites, text, _("There is no site %(text)s. Add it under Set up first."))
        sites = {site.pk: site for sites in self._sites.values() for site in sites}
        return next(iter(sites.values())) if len(sites) == 1 else None

    def schedule(self, practitioner: Practitioner, site: str) -> Schedule:
        """The calendar of the practitioner, at the site if one is named."""
        found = self._schedules[practitioner.pk]
        if site:
            place = self.site(site)
            found = [schedule for schedule in found if schedule.site == place]
        if not found:
            raise Unreadable(_("%(name)s has no calendar there. Import hours first.") % {"name": practitioner})
        if len(found) > 1:
            raise Unreadable(_("%(name)s has several calendars. Say at which site.") % {"name": practitioner})
        return found[0]

    def require_no_calendar(self, practitioner: Practitioner, site: Location | None) -> None:
        """Raise Unreadable if the practitioner has a calendar at the site, whose hours are changed on its page."""
        if any(schedule.site == site for schedule in self._schedules[practitioner.pk]):
            text = _("%(name)s has a calendar there already. Change its hours on its page.")
            raise Unreadable(text % {"name": practitioner})

    def zone(self, schedule: Schedule) -> ZoneInfo:
        name = (schedule.site.timezone if schedule.site else "") or zone_of_hours(schedule)
        return ZoneInfo(name) if name else clinic_zone()

    def length(self, service: HealthcareService) -> int:
        """The minutes of a visit of the service."""
        parameters = own_parameters(service)
        if parameters is None or not parameters.duration:
            raise Unreadable(_("Say how many minutes it takes: %(service)s has no length.") % {"service": service})
        return parameters.duration

    @cached_property
    def _patients(self) -> dict[str, str]:
        here = Patient.objects.filter(fhir_id__in=self._patient_numbers, deleted_at=None)
        ids = {fhir_id: fhir_id for fhir_id in here.values_list("fhir_id", flat=True)}
        return ids | known_numbers(ImportKind.PATIENTS, self._patient_numbers)

    @cached_property
    def _practitioners(self) -> Named[Practitioner]:
        rows = Practitioner.objects.filter(active=True, deleted_at=None)
        return _by_name(
            ImportKind.PRACTITIONERS,
            rows,
            lambda row: (str(row), f"{row.given} {row.family}", f"{row.family} {row.given}"),
        )

    @cached_property
    def _services(self) -> Named[HealthcareService]:
        rows = HealthcareService.objects.filter(active=True, deleted_at=None).prefetch_related("scheduling_parameters")
        return _by_name(ImportKind.SERVICES, rows, lambda row: (row.name,))

    @cached_property
    def _service_types(self) -> dict[str, Json]:
        named = {code: service_types.x12_type(code) for code in service_types.X12_NAMES}
        for language, _name in settings.LANGUAGES:
            with override(language):
                named |= service_types.known_types()
        return {joined(name): concept for name, concept in named.items()}

    @cached_property
    def _sites(self) -> Named[Location]:
        return _by_name(None, Location.objects.filter(part_of=None, deleted_at=None), lambda row: (row.name,))

    @cached_property
    def _schedules(self) -> dict[int, list[Schedule]]:
        found: dict[int, list[Schedule]] = defaultdict(list)
        rows = Schedule.objects.filter(active=True, deleted_at=None, bookable__practitioner__isnull=False)
        related = ("site", "bookable__practitioner", "practitioner_role")
        for schedule in rows.select_related(*related).prefetch_related(*ZONE_OF_HOURS).order_by("pk"):
            found[schedule.bookable.practitioner_id].append(schedule)  # type: ignore[index]
        return found


def known_numbers(kind: str, numbers: Collection[str]) -> dict[str, str]:
    """The ids of the resources that rows with these numbers have become."""
    rows = ImportedRow.objects.filter(kind=kind, number__in=numbers)
    return dict(rows.values_list("number", "fhir_id"))


def _by_name(kind: ImportKind | None, rows: "QuerySet[R]", names: Callable[[R], Iterable[str]]) -> Named[R]:
    """The rows by each of their folded names, by their ids, and by their numbers in the other system."""
    numbers: dict[str, list[str]] = defaultdict(list)
    if kind is not None:
        for number, fhir_id in ImportedRow.objects.filter(kind=kind).values_list("number", "fhir_id"):
            numbers[fhir_id].append(number)
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        for key in {joined(name) for name in (*names(row), row.fhir_id, *numbers[row.fhir_id])}:
            found[key].append(row)
    return dict(found)


def _only(rows: Named[R], text: str, missing: str) -> R:
    found = rows.get(joined(text), [])
    if not found:
        raise Unreadable(missing % {"text": text})
    if len(found) > 1:
        raise Unreadable(
            _("Several are called %(text)s. Write the number in the other system instead.") % {"text": text}
        )
    return found[0]
