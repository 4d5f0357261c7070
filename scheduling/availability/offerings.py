"""Schedules as they give a service: one query, whatever their number."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from django.db import connection

from clinic.models import Appointment, HealthcareService, Patient
from clinic.models.statements import find
from scheduling.availability.rules import absences_of, planned, rules_of
from scheduling.core.intervals import Span
from scheduling.core.offers import Rules
from scheduling.errors import Invalid, Issue, RuleBroken, SchedulingError

Pool: TypeAlias = "tuple[Offering, ...]"  # any one of these
Arrangement: TypeAlias = tuple[Pool, ...]  # one of each of these
PRACTITIONER = HealthcareService.ActorType.PRACTITIONER.value


class Offering(NamedTuple):
    """One schedule as it gives one service."""

    schedule: int
    fhir_id: str
    bookable: int
    actor: str  # a FHIR reference, such as Practitioner/chen
    actor_name: str
    person: str  # whose role it is, where the actor is a PractitionerRole; else the actor
    site: int | None
    site_name: str
    site_reference: str
    zone: ZoneInfo
    rules: Rules
    planned: Span | None

    @property
    def reference(self) -> str:
        return f"Schedule/{self.fhir_id}"


def service_of(fhir_id: str) -> HealthcareService | None:
    """The service with this FHIR id. Asked with every search and booking."""
    return find(HealthcareService, "fhir_id", fhir_id)


def offerings_of(
    service: HealthcareService, schedules: Collection[str], *, may_name: Callable[[str], bool] = lambda actor: True
) -> list[Offering]:
    """The schedules with these FHIR ids, in that order, as they give the service.

    One whose actor, a FHIR reference, somebody may not name is missing.
    Raises Invalid with an issue for each that is missing, inactive, of no known zone or duration, or that does not
    offer the service; `expression` is its reference.
    """
    found = _rows(service, "schedule.fhir_id = ANY(%s)", [list(schedules)])
    rows = {row.fhir_id: row for row in found if may_name(row.actor)}
    return _all_offered(service, {f"Schedule/{fhir_id}": rows.get(fhir_id) for fhir_id in schedules})


def offerings_by_key(service: HealthcareService, schedules: Collection[int]) -> list[Offering]:
    """The same for the primary keys of schedules."""
    rows = {row.schedule: row for row in _rows(service, "schedule.id = ANY(%s)", [list(schedules)])}
    return _all_offered(
        service, {f"Schedule/{rows[pk].fhir_id}" if pk in rows else "": rows.get(pk) for pk in schedules}
    )


def offerings_of_visit(appointment: Appointment) -> list[Offering]:
    """The schedules that a visit takes, as they give its service; those that no longer do are missing."""
    if appointment.service is None:
        return []
    taken = (
        "schedule.id IN (SELECT schedule_id FROM clinic_slot"
        " WHERE appointment_id = %s AND status <> 'busy-unavailable' AND deleted_at IS NULL)"
    )
    rows = _rows(appointment.service, taken, [appointment.pk])
    return [_offering(row) for row in rows if not _problems(row, "")]


def still_given(appointment: Appointment) -> list[int]:
    """The bookables of a visit's Slots, buffers included, for who is about to promise it. One statement.

    Raises RuleBroken where its service, a schedule or somebody it needs has been closed since the time was taken, or
    does not work then any more.
    """
    service = appointment.service
    taken = (
        "schedule.id IN (SELECT schedule_id FROM clinic_slot WHERE appointment_id = %s AND deleted_at IS NULL"
        " AND status IN ('busy', 'busy-tentative', 'busy-unavailable'))"
    )
    rows = _rows(service, taken, [appointment.pk])
    issues = [each for row in rows for each in _problems(row, "Appointment.slot") if each.code == "business-rule"]
    if service is not None and not service.active:
        issues.append(Issue("business-rule", "HealthcareService is inactive", "Appointment.serviceType"))
    issues += [_is_away(row) for row in rows if _works_not_at(row, appointment)]
    if issues:
        raise RuleBroken(issues=issues)
    return [row.bookable for row in rows]


def _works_not_at(row: "_Row", appointment: Appointment) -> bool:
    zone = row.parameters[6] or row.actor_zone
    if not zone or appointment.start is None or appointment.end is None:
        return False
    start, end = int(appointment.start.timestamp()), int(appointment.end.timestamp())
    return any(first < end and start < last for first, last in absences_of(*row.parameters[-2:], ZoneInfo(zone)))


def _is_away(row: "_Row") -> Issue:
    return Issue("business-rule", f"{row.actor_name or row.actor} does not work there then.", "Appointment.slot")


def _all_offered(service: HealthcareService, rows: Mapping[str, "_Row | None"]) -> list[Offering]:
    issues: list[Issue] = []
    if not service.active:
        issues.append(Issue("business-rule", "HealthcareService is inactive", service.reference))
    for reference, row in rows.items():
        issues += _problems(row, reference)
    if issues:
        kind: type[SchedulingError] = RuleBroken if _only_rules(issues) else Invalid
        raise kind(issues=issues)
    return [_offering(row) for row in rows.values() if row is not None]


def all_offerings_of(schedules: Collection[int]) -> list[Offering]:
    """These schedules (primary keys) as they give each of their services: one query, whatever their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_OF_ALL} WHERE schedule.id = ANY(%s) AND service.active AND service.deleted_at IS NULL"
            " AND (schedule.offers_all_services OR offered.id IS NOT NULL) ORDER BY schedule.id, service.id",
            [list(schedules)],
        )
        return [_offering(row) for row in _read(cursor) if not _problems(row, "")]


def lasting(offerings: Iterable[Offering], duration: timedelta) -> tuple[Offering, ...]:
    """The same schedules with visits of another length; all else that rules them stays."""
    seconds = int(duration.total_seconds())
    return tuple(each._replace(rules=replace(each.rules, duration=seconds)) for each in offerings)


def together(offerings: Sequence[Offering]) -> None:
    """Refuse schedules that cannot be one visit: two of one actor, or of durations that differ."""
    issues = _differing(offerings, ("duration", lambda rules: rules.duration))
    if len({offering.bookable for offering in offerings}) < len(offerings):
        issues.append(Issue("invalid", "Two of the schedules are of the same actor, who cannot be in a visit twice."))
    if issues:
        raise Invalid(issues=issues)


def complete(service: HealthcareService, offerings: Sequence[Offering]) -> None:
    """Refuse what leaves out a kind of schedule that the service requires, such as the room or the device."""
    missing = [kind for kind in service.requires if not any(is_kind(each, kind) for each in offerings)]
    if missing:
        text = f"{service.name} takes a {' and a '.join(missing)} too: name a Schedule of each."
        raise RuleBroken(text, expression="")


def on_one_grid(offerings: Sequence[Offering]) -> None:
    """Refuse schedules that were named together although their grids differ: few times, if any, would be on both."""
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
    service: HealthcareService, *, practitioner: int | None = None, site: int | None = None
) -> tuple[Arrangement, ...]:
    """Every way to have the service: one schedule of each kind of actor that it requires, all at one site.

    A schedule without a site serves at all of them. A service that requires nothing is had with one practitioner, or
    with whatever offers it where none does. `practitioner` and `site` are primary keys that narrow it down.
    """
    rows = _rows(service, "schedule.active AND schedule.deleted_at IS NULL", [])
    usable = [_offering(row) for row in rows if row.offers and not _problems(row, "")]
    if site is not None:
        usable = _given_at(site, usable)
    if practitioner is not None:
        others = {row.schedule for row in rows if row.practitioner not in (practitioner, None)}
        usable = [each for each in usable if each.schedule not in others]
    return _ways(service, usable)


def arrangements_of(
    services: Collection[HealthcareService],
    *,
    sites: Sequence[int] | None = None,
    practitioners: Sequence[int] | None = None,
) -> dict[HealthcareService, tuple[Arrangement, ...]]:
    """Every way to have each of these services, at any of `sites` if they are named, those first that come first.

    Of practitioners only with these, if they are named. One query, whatever the number of services and schedules.
    """
    some = "" if practitioners is None else " AND coalesce(bookable.practitioner_id = ANY(%s), true)"
    offered: dict[int, list[Offering]] = {service.pk: [] for service in services}
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_OF_ALL} WHERE service.id = ANY(%s) AND schedule.active AND schedule.deleted_at IS NULL"
            f" AND (schedule.offers_all_services OR offered.id IS NOT NULL){some} ORDER BY schedule.id",
            [list(offered), *([] if practitioners is None else [list(practitioners)])],
        )
        for row in _read(cursor):
            if not _problems(row, ""):
                offered[row.service].append(_offering(row))
    if sites is None:
        return {service: _ways(service, offered[service.pk]) for service in services}
    return {
        service: tuple(way for site in sites for way in _ways(service, _given_at(site, offered[service.pk])))
        for service in services
    }


def _ways(service: HealthcareService, offerings: list[Offering]) -> tuple[Arrangement, ...]:
    """A patient's own schedule is had by nobody who does not name it."""
    offerings = [each for each in offerings if not is_kind(each, Patient.RESOURCE_TYPE)]
    if len(service.requires) > 1:
        ways = [_one_of_each(service.requires, offerings, place) for place in _sites(offerings)]
    else:
        kind = service.requires[0] if service.requires else PRACTITIONER
        pool = tuple(each for each in offerings if is_kind(each, kind))
        ways = [(pool or (() if service.requires else tuple(offerings)),)]
    return tuple(way for way in ways if all(way))


def _given_at(site: int, offerings: list[Offering]) -> list[Offering]:
    """What serves at a site: what is there, and, where anything is, what serves at all of them."""
    is_given = any(each.site == site for each in offerings)
    return [each for each in offerings if is_given and each.site in (site, None)]


def _sites(offerings: Iterable[Offering]) -> list[int | None]:
    known = sorted({offering.site for offering in offerings if offering.site is not None})
    return [*known] or [None]


def _one_of_each(kinds: Iterable[str], offerings: Iterable[Offering], site: int | None) -> Arrangement:
    at_hand = [each for each in offerings if each.site in (site, None)]
    return tuple(tuple(each for each in at_hand if is_kind(each, kind)) for kind in kinds)


class _Row(NamedTuple):
    """One schedule joined with its parameters for one service, and with the service's."""

    service: int
    schedule: int
    fhir_id: str
    bookable: int
    active: bool
    offers: bool
    planning_start: int | None
    planning_end: int | None
    actor: str
    actor_name: str
    practitioner: int | None
    person: str | None
    site: int | None
    site_name: str
    site_reference: str
    actor_zone: str
    closed: str
    parameters: tuple[Any, ...]


_PARAMETERS = """
    coalesce(own.duration, general.duration),
    coalesce(own.buffer_before, general.buffer_before, 0),
    coalesce(own.buffer_after, general.buffer_after, 0),
    coalesce(own.alignment_interval, general.alignment_interval),
    coalesce(own.alignment_offset, general.alignment_offset, 0),
    coalesce(nullif(own.alignment_timezone, ''), general.alignment_timezone, ''),
    coalesce(nullif(own.timezone, ''), general.timezone, ''),
    coalesce(own.slot_capacity, general.slot_capacity, 1),
    coalesce(own.availability, general.availability)::text,
    coalesce(own.not_available, '[]')::text,
    coalesce(general.not_available, '[]')::text,
    (role.extra->'notAvailable')::text,
    (role.extra->'period')::text
"""
# What is closed of all that a visit on a schedule needs: an issue each says so.
_CLOSED = """
    concat_ws(',',
        CASE WHEN NOT person.active OR person.deleted_at IS NOT NULL THEN 'Practitioner' END,
        CASE WHEN NOT role.active OR role.deleted_at IS NOT NULL THEN 'PractitionerRole' END,
        CASE WHEN device.status <> 'active' OR device.deleted_at IS NOT NULL THEN 'Device' END,
        CASE WHEN NOT own_service.active OR own_service.deleted_at IS NOT NULL THEN 'HealthcareService' END,
        CASE WHEN 'active' <> ANY(ARRAY[place.status, device_place.status, building.status, site.status])
            OR coalesce(place.deleted_at, device_place.deleted_at, building.deleted_at, site.deleted_at) IS NOT NULL
            THEN 'Location' END
    )
"""


def _select(service: str, source: str = "clinic_schedule schedule") -> str:
    """The statement that reads `_Row`; `service` is what stands for the primary key of the service."""
    return f"""
    SELECT {service}::bigint, schedule.id, schedule.fhir_id, schedule.bookable_id,
        schedule.active AND schedule.deleted_at IS NULL,
        schedule.offers_all_services OR offered.id IS NOT NULL,
        floor(extract(epoch FROM schedule.planning_start))::bigint,
        ceil(extract(epoch FROM schedule.planning_end))::bigint,
        CASE
            WHEN role.id IS NOT NULL THEN 'PractitionerRole/' || role.fhir_id
            WHEN person.id IS NOT NULL THEN 'Practitioner/' || person.fhir_id
            WHEN place.id IS NOT NULL THEN 'Location/' || place.fhir_id
            WHEN device.id IS NOT NULL THEN 'Device/' || device.fhir_id
            WHEN own_service.id IS NOT NULL THEN 'HealthcareService/' || own_service.fhir_id
            ELSE 'Patient/' || patient.fhir_id
        END,
        coalesce(
            nullif(concat_ws(' ', nullif(person.prefix, ''), nullif(person.given, ''), person.family), ''),
            place.name, device.name, own_service.name, ''
        ),
        person.id, 'Practitioner/' || person.fhir_id,
        site.id, coalesce(site.name, ''), coalesce('Location/' || site.fhir_id, ''),
        coalesce(
            nullif(role.timezone, ''), nullif(person.timezone, ''), nullif(place.timezone, ''),
            nullif(device.timezone, ''), nullif(device_place.timezone, ''), nullif(building.timezone, ''),
            nullif(site.timezone, ''), ''
        ),
        {_CLOSED},
        {_PARAMETERS}
    FROM {source}
    JOIN clinic_bookable bookable ON bookable.id = schedule.bookable_id
    LEFT JOIN clinic_schedule_services offered
        ON offered.schedule_id = schedule.id AND offered.healthcareservice_id = {service}
    LEFT JOIN clinic_schedulingparameters own ON own.schedule_id = schedule.id AND own.service_id = {service}
    LEFT JOIN clinic_schedulingparameters general ON general.service_id = {service} AND general.schedule_id IS NULL
    LEFT JOIN clinic_practitionerrole role ON role.id = schedule.practitioner_role_id
    LEFT JOIN clinic_practitioner person ON person.id = bookable.practitioner_id
    LEFT JOIN clinic_location place ON place.id = bookable.location_id
    LEFT JOIN clinic_device device ON device.id = bookable.device_id
    LEFT JOIN clinic_location device_place ON device_place.id = device.location_id
    LEFT JOIN clinic_location building ON building.id = coalesce(place.part_of_id, device_place.part_of_id)
    LEFT JOIN clinic_healthcareservice own_service ON own_service.id = bookable.healthcare_service_id
    LEFT JOIN clinic_patient patient ON patient.id = bookable.patient_id
    LEFT JOIN clinic_location site ON site.id = schedule.site_id
"""


_OF_ONE = _select("%s")
_OF_ALL = _select("service.id", "clinic_schedule schedule CROSS JOIN clinic_healthcareservice service")


def _rows(service: HealthcareService | None, condition: str, values: list[Any]) -> list[_Row]:
    key = service.pk if service is not None else None
    with connection.cursor() as cursor:
        cursor.execute(f"{_OF_ONE} WHERE {condition} ORDER BY schedule.id", [key] * 4 + values)
        return _read(cursor)


def _read(cursor: Any) -> list[_Row]:
    alone = len(_Row._fields) - 1  # what comes after is the parameters
    return [_Row._make((*row[:alone], row[alone:])) for row in cursor.fetchall()]


def _problems(row: _Row | None, expression: str) -> list[Issue]:
    if row is None:
        return [Issue("not-found", "Loading schedule failed", expression)]
    issues = []
    if not row.active:
        issues.append(Issue("business-rule", "Schedule is inactive", expression))
    issues += [Issue("business-rule", f"{kind} is inactive", expression) for kind in row.closed.split(",") if kind]
    if not row.offers:
        text = "Schedule is not schedulable for requested service type"
        issues.append(Issue("invalid", text, expression))
    if not (row.parameters[6] or row.actor_zone):
        issues.append(Issue("invalid", "No timezone specified", expression))
    if row.parameters[0] is None:
        text = "No SchedulingParameters found on Schedule or HealthcareService: no duration is set"
        issues.append(Issue("invalid", text, expression))
    return issues


def _only_rules(issues: Iterable[Issue]) -> bool:
    return all(issue.code == "business-rule" for issue in issues)


def _offering(row: _Row) -> Offering:
    zone = ZoneInfo(row.parameters[6] or row.actor_zone)
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
