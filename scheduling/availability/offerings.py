"""Offerings: schedules with their rules for a service, read with one query."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from django.db import connection

from clinic.models import Appointment, HealthcareService, Patient
from clinic.models.statements import columns_of, load
from clinic.zones import zone_named
from scheduling.availability.offering_cache import STAMP, offering_cache
from scheduling.availability.parameters import absences_of, closed_times_of, planned, rules_of
from scheduling.availability.schedule_rows import OF_ALL, ScheduleRow, issues_of, read_rows, rows_for, stamped_rows_for
from scheduling.core.hours import closed_spans
from scheduling.core.intervals import Span
from scheduling.core.offers import Rules
from scheduling.errors import Invalid, Issue, RuleBroken, SchedulingError

Pool: TypeAlias = "tuple[Offering, ...]"  # any one of these offerings
Arrangement: TypeAlias = tuple[Pool, ...]  # one offering of each of these pools
PRACTITIONER = HealthcareService.ActorType.PRACTITIONER.value
_SERVICE = f"""
    SELECT {STAMP}, {columns_of(HealthcareService, "service")}
    FROM clinic_healthcareservice service WHERE service.fhir_id = %s AND service.deleted_at IS NULL
"""


class Offering(NamedTuple):
    """A schedule with its rules for one service."""

    schedule: int
    fhir_id: str
    bookable: int
    actor: str  # a FHIR reference, such as Practitioner/chen
    actor_name: str
    person: str  # the practitioner if the actor is a PractitionerRole, else the actor
    site: int | None
    site_name: str
    site_reference: str
    zone: ZoneInfo
    rules: Rules
    planned: Span | None

    @property
    def reference(self) -> str:
        return f"Schedule/{self.fhir_id}"

    @property
    def person_name(self) -> str:
        """The name of `person`: of the practitioner if the actor is a PractitionerRole, without the role."""
        return self.actor_name.strip()


def service_of(fhir_id: str, *, stamp: str | None = None) -> HealthcareService | None:
    """The service with this FHIR id, or None; from the cache of offerings if it has been read under this stamp."""

    def read() -> tuple[HealthcareService | None, str | None]:
        with connection.cursor() as cursor:
            cursor.execute(_SERVICE, [fhir_id])
            row = cursor.fetchone()
        return (None, None) if row is None else (load(HealthcareService, row[1:]), row[0])

    return copy(offering_cache.find(stamp, ("service", fhir_id), read, lambda _: 1))


def offerings_of(
    service: HealthcareService,
    schedules: Collection[str],
    *,
    is_known: Callable[[str], bool] = lambda actor: True,
    stamp: str | None = None,
) -> list[Offering]:
    """The offerings of the schedules with these FHIR ids, in that order; from the cache of offerings if they have been
    read under this stamp.

    A schedule is treated as missing if `is_known` is False for its actor (a FHIR reference). Raises Invalid with an
    issue for each schedule that is missing, inactive, without a zone or duration, or that does not offer the service;
    `expression` is its reference.
    """

    def read() -> tuple[list[ScheduleRow], str | None]:
        return stamped_rows_for(service, "schedule.fhir_id = ANY(%s)", [list(schedules)])

    found = offering_cache.find(stamp, ("schedules", service.pk, *schedules), read, lambda _: len(schedules))
    rows = {row.fhir_id: row for row in found if is_known(row.actor)}
    return _require_offered(service, {f"Schedule/{fhir_id}": rows.get(fhir_id) for fhir_id in schedules})


def offerings_by_key(service: HealthcareService, schedules: Collection[int]) -> list[Offering]:
    """The offerings of the schedules with these primary keys."""
    rows = {row.schedule: row for row in rows_for(service, "schedule.id = ANY(%s)", [list(schedules)])}
    return _require_offered(
        service, {f"Schedule/{rows[pk].fhir_id}" if pk in rows else "": rows.get(pk) for pk in schedules}
    )


def offerings_of_visit(appointment: Appointment) -> list[Offering]:
    """The offerings of the schedules that a visit takes, without those that no longer offer its service."""
    if appointment.service is None:
        return []
    taken = (
        "schedule.id IN (SELECT schedule_id FROM clinic_slot"
        " WHERE appointment_id = %s AND status <> 'busy-unavailable' AND deleted_at IS NULL)"
    )
    rows = rows_for(appointment.service, taken, [appointment.pk])
    return [offering_of(row) for row in rows if not issues_of(row, "")]


def require_still_available(appointment: Appointment) -> list[int]:
    """The bookables of a visit's Slots, with buffers. One statement.

    Raises RuleBroken if its service, a schedule or an actor has been closed since the time was taken, or is absent
    then.
    """
    service = appointment.service
    taken = (
        "schedule.id IN (SELECT schedule_id FROM clinic_slot WHERE appointment_id = %s AND deleted_at IS NULL"
        " AND status IN ('busy', 'busy-tentative', 'busy-unavailable'))"
    )
    rows = rows_for(service, taken, [appointment.pk])
    issues = [each for row in rows for each in issues_of(row, "Appointment.slot") if each.code == "business-rule"]
    if service is not None and not service.active:
        issues.append(Issue("business-rule", "HealthcareService is inactive", "Appointment.serviceType"))
    issues += [issue for row in rows for issue in _absence_issues(row, appointment)]
    if issues:
        raise RuleBroken(issues=issues)
    return [row.bookable for row in rows]


def _absence_issues(row: ScheduleRow, appointment: Appointment) -> Iterator[Issue]:
    name = row.parameters.timezone or row.actor_zone
    if not name or appointment.start is None or appointment.end is None:
        return
    zone, start, end = ZoneInfo(name), int(appointment.start.timestamp()), int(appointment.end.timestamp())
    if any(
        first < end and start < last
        for first, last in absences_of(row.parameters.absences, row.parameters.period, zone)
    ):
        text = f"{row.actor_name or row.actor} does not work there at that time."
        yield Issue("business-rule", text, "Appointment.slot")
    if closed_spans(closed_times_of(row.parameters.closures), zone, start, end):
        yield Issue("business-rule", f"{row.actor_name or row.actor} is closed at that time.", "Appointment.slot")


def _require_offered(service: HealthcareService, rows: Mapping[str, ScheduleRow | None]) -> list[Offering]:
    issues: list[Issue] = []
    if not service.active:
        issues.append(Issue("business-rule", "HealthcareService is inactive", service.reference))
    for reference, row in rows.items():
        issues += issues_of(row, reference)
    if issues:
        kind: type[SchedulingError] = RuleBroken if _only_rules(issues) else Invalid
        raise kind(issues=issues)
    return [offering_of(row) for row in rows.values() if row is not None]


def all_offerings_of(schedules: Collection[int]) -> list[Offering]:
    """The offerings of these schedules (primary keys) for each of their services. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{OF_ALL} WHERE schedule.id = ANY(%s) AND service.active AND service.deleted_at IS NULL"
            " AND (schedule.offers_all_services OR offered.id IS NOT NULL) ORDER BY schedule.id, service.id",
            [list(schedules)],
        )
        return [offering_of(row) for row in read_rows(cursor) if not issues_of(row, "")]


def with_duration(offerings: Iterable[Offering], duration: timedelta) -> tuple[Offering, ...]:
    """The same offerings with another duration of visits."""
    seconds = int(duration.total_seconds())
    return tuple(each._replace(rules=replace(each.rules, duration=seconds)) for each in offerings)


def require_combinable(offerings: Sequence[Offering]) -> None:
    """Raise Invalid if the schedules cannot serve one visit: two have the same actor, or their durations differ."""
    issues = _differing(offerings, ("duration", lambda rules: rules.duration))
    if len({offering.bookable for offering in offerings}) < len(offerings):
        issues.append(Issue("invalid", "Two of the schedules are of the same actor, who cannot be in a visit twice."))
    if issues:
        raise Invalid(issues=issues)


def require_complete(service: HealthcareService, offerings: Sequence[Offering]) -> None:
    """Raise RuleBroken if a kind of schedule is missing that the service requires, such as the room or the device."""
    missing = [kind for kind in service.requires if not any(is_kind(each, kind) for each in offerings)]
    if missing:
        text = f"{service.name} takes a {' and a '.join(missing)} too: name a Schedule of each."
        raise RuleBroken(text, expression="")


def require_common_grid(offerings: Sequence[Offering]) -> None:
    """Raise Invalid if the grids of schedules named together differ: they would have few common start times, if any."""
    issues = _differing(
        offerings,
        ("alignmentInterval", lambda rules: rules.grid.interval),
        ("alignmentOffset", lambda rules: rules.grid.offset),
    )
    if issues:
        raise Invalid(issues=issues)


def _differing(offerings: Sequence[Offering], *attributes: tuple[str, Callable[[Rules], int]]) -> list[Issue]:
    return [
        Issue("invalid", f"Scheduling parameters attribute '{name}' does not match")
        for name, value in attributes
        if len({value(offering.rules) for offering in offerings}) > 1
    ]


def arrangements_for(
    service: HealthcareService,
    *,
    practitioner: int | None = None,
    site: int | None = None,
    stamp: str | None = None,
) -> tuple[Arrangement, ...]:
    """Every arrangement of the service: one schedule of each kind of actor that it requires, all at one site.

    A schedule without a site serves at all sites. A service that requires nothing takes one practitioner, or any
    schedule if no practitioner offers it. `practitioner` and `site` are primary keys that limit the result. They come
    from the cache of offerings if they have been read under this stamp.
    """
    question = "arrangements", service.pk, practitioner, site

    def read() -> tuple[tuple[Arrangement, ...], str | None]:
        return _read_arrangements(service, practitioner, site)

    return offering_cache.find(stamp, question, read, lambda found: sum(len(pool) for way in found for pool in way))


def _read_arrangements(
    service: HealthcareService, practitioner: int | None, site: int | None
) -> tuple[tuple[Arrangement, ...], str | None]:
    rows, stamp = stamped_rows_for(service, "schedule.active AND schedule.deleted_at IS NULL", [])
    usable = [offering_of(row) for row in rows if row.offers and not issues_of(row, "")]
    if site is not None:
        usable = _given_at(site, usable)
    if practitioner is not None:
        others = {row.schedule for row in rows if row.practitioner not in (practitioner, None)}
        usable = [each for each in usable if each.schedule not in others]
    return ways_of(service, usable), stamp


def arrangements_of(
    services: Collection[HealthcareService],
    *,
    sites: Sequence[int] | None = None,
    practitioners: Sequence[int] | None = None,
) -> dict[HealthcareService, tuple[Arrangement, ...]]:
    """Every arrangement of each of these services; only at `sites`, in their order, and with `practitioners`, if given.

    One query, regardless of the number of services and schedules.
    """
    some = "" if practitioners is None else " AND coalesce(bookable.practitioner_id = ANY(%s), true)"
    by_service: dict[int, list[Offering]] = {service.pk: [] for service in services}
    with connection.cursor() as cursor:
        cursor.execute(
            f"{OF_ALL} WHERE service.id = ANY(%s) AND schedule.active AND schedule.deleted_at IS NULL"
            f" AND (schedule.offers_all_services OR offered.id IS NOT NULL){some} ORDER BY schedule.id",
            [list(by_service), *([] if practitioners is None else [list(practitioners)])],
        )
        for row in read_rows(cursor):
            if not issues_of(row, ""):
                by_service[row.service].append(offering_of(row))
    if sites is None:
        return {service: ways_of(service, by_service[service.pk]) for service in services}
    return {
        service: tuple(way for site in sites for way in ways_of(service, _given_at(site, by_service[service.pk])))
        for service in services
    }


def ways_of(service: HealthcareService, offerings: list[Offering]) -> tuple[Arrangement, ...]:
    """Every arrangement of the service on these schedules; none while it is inactive.

    A patient's own schedule is used only if it is named.
    """
    if not service.active or service.deleted_at is not None:
        return ()
    offerings = [each for each in offerings if not is_kind(each, Patient.RESOURCE_TYPE)]
    if len(service.requires) > 1:
        ways = [_one_of_each(service.requires, offerings, place) for place in _sites(offerings)]
    else:
        kind = service.requires[0] if service.requires else PRACTITIONER
        pool = tuple(each for each in offerings if is_kind(each, kind))
        ways = [(pool or (() if service.requires else tuple(offerings)),)]
    return tuple(way for way in ways if all(way))


def _given_at(site: int, offerings: list[Offering]) -> list[Offering]:
    """The offerings at a site: its own and, if it has any, those without a site."""
    is_given = any(each.site == site for each in offerings)
    return [each for each in offerings if is_given and each.site in (site, None)]


def _sites(offerings: Iterable[Offering]) -> list[int | None]:
    known = sorted({offering.site for offering in offerings if offering.site is not None})
    return [*known] or [None]


def _one_of_each(kinds: Iterable[str], offerings: Iterable[Offering], site: int | None) -> Arrangement:
    nearby = [each for each in offerings if each.site in (site, None)]
    return tuple(tuple(each for each in nearby if is_kind(each, kind)) for kind in kinds)


def _only_rules(issues: Iterable[Issue]) -> bool:
    return all(issue.code == "business-rule" for issue in issues)


def offering_of(row: ScheduleRow) -> Offering:
    zone = zone_named(row.parameters.timezone or row.actor_zone)
    return Offering(
        schedule=row.schedule,
        fhir_id=row.fhir_id,
        bookable=row.bookable,
        actor=row.actor,
        actor_name=row.actor_name,
        person=row.person or row.actor,
        site=row.site,
        site_name=row.site_name,
        site_reference=row.site_reference,
        zone=zone,
        rules=rules_of(row.parameters, zone),
        planned=planned(row.planning_start, row.planning_end),
    )


def is_kind(offering: Offering, kind: str) -> bool:
    actor = offering.actor.partition("/")[0]
    return actor == kind or (kind == PRACTITIONER and actor == "PractitionerRole")
