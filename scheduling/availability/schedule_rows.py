"""Schedules with everything that decides how they offer a service, read with one statement."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from clinic.models import HealthcareService
from scheduling.availability.offering_cache import STAMP
from scheduling.errors import Issue


class ParameterRow(NamedTuple):
    """The parameters that count for a schedule and a service, as their columns are read; JSON is text."""

    duration: int | None
    buffer_before: int
    buffer_after: int
    interval: int | None
    offset: int
    grid_timezone: str
    timezone: str
    capacity: int
    day_limit: int | None
    week_limit: int | None
    session_limit: int | None
    new_patient_session_limit: int | None
    schedule_day_limit: int | None
    schedule_week_limit: int | None
    availability: str | None
    not_available: str
    not_available_of_service: str
    closures: str | None
    absences: str | None
    period: str | None
    kept: str | None
    kept_for_others: str | None


class ScheduleRow(NamedTuple):
    """A schedule joined with its own parameters for one service and with the service's parameters."""

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
    parameters: ParameterRow


_PARAMETERS = """
    coalesce(own.duration, general.duration),
    coalesce(own.buffer_before, general.buffer_before, 0),
    coalesce(own.buffer_after, general.buffer_after, 0),
    coalesce(own.alignment_interval, general.alignment_interval),
    coalesce(own.alignment_offset, general.alignment_offset, 0),
    coalesce(nullif(own.alignment_timezone, ''), general.alignment_timezone, ''),
    coalesce(nullif(own.timezone, ''), general.timezone, ''),
    coalesce(own.slot_capacity, general.slot_capacity, 1),
    coalesce(own.day_limit, general.day_limit),
    coalesce(own.week_limit, general.week_limit),
    coalesce(own.session_limit, general.session_limit),
    coalesce(own.new_patient_session_limit, general.new_patient_session_limit),
    schedule.total_day_limit,
    schedule.total_week_limit,
    coalesce(own.availability, general.availability)::text,
    coalesce(own.not_available, '[]')::text,
    coalesce(general.not_available, '[]')::text,
    (
        SELECT jsonb_agg(
            jsonb_build_array(
                closure.first, closure.starts, closure.last, closure.ends, closure.yearly,
                CASE WHEN closure.is_public THEN closure.names || jsonb_build_object('', closure.reason) END
            )
            ORDER BY closure.id
        )
        FROM clinic_closure closure
        WHERE closure.removed_at IS NULL AND (
            num_nonnulls(closure.practitioner_id, closure.location_id, closure.device_id) = 0
            OR closure.practitioner_id = person.id OR closure.device_id = device.id
            OR closure.location_id IN (place.id, device_place.id, building.id, site.id)
        )
    )::text,
    (role.extra->'notAvailable')::text,
    (role.extra->'period')::text,
    (coalesce(own.kept, '[]') || coalesce(general.kept, '[]'))::text
"""
# The resource types of everything closed that a visit on the schedule needs.
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
    """The statement that reads `ScheduleRow`; `service` is the SQL for the service's primary key."""
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
        {_PARAMETERS},
        (
            SELECT jsonb_agg(entry)
            FROM clinic_schedulingparameters other
            JOIN clinic_healthcareservice other_service ON other_service.id = other.service_id
            CROSS JOIN jsonb_array_elements(other.kept) entry
            WHERE other.service_id <> {service} AND other.kept <> '[]'
                AND other_service.active AND other_service.deleted_at IS NULL
                AND (other.schedule_id = schedule.id OR other.schedule_id IS NULL AND (
                    schedule.offers_all_services OR EXISTS (
                        SELECT 1 FROM clinic_schedule_services also
                        WHERE also.schedule_id = schedule.id AND also.healthcareservice_id = other.service_id
                    )
                ))
        )::text
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
_STAMPED = _OF_ONE.replace("SELECT", f"SELECT {STAMP},", 1)
OF_ALL = _select("service.id", "clinic_schedule schedule CROSS JOIN clinic_healthcareservice service")


def rows_for(service: HealthcareService | None, condition: str, values: list[Any]) -> list[ScheduleRow]:
    key = service.pk if service is not None else None
    with connection.cursor() as cursor:
        cursor.execute(f"{_OF_ONE} WHERE {condition} ORDER BY schedule.id", [key] * 5 + values)
        return read_rows(cursor)


def stamped_rows_for(
    service: HealthcareService, condition: str, values: list[Any]
) -> tuple[list[ScheduleRow], str | None]:
    """The rows of `rows_for`, and the stamp of the offerings at the same instant; None if there are no rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_STAMPED} WHERE {condition} ORDER BY schedule.id", [service.pk] * 5 + values)
        found = cursor.fetchall()
    return [_row(columns) for _, *columns in found], found[0][0] if found else None


def read_rows(cursor: Any) -> list[ScheduleRow]:
    return [_row(columns) for columns in cursor.fetchall()]


def _row(columns: Sequence[Any]) -> ScheduleRow:
    alone = len(ScheduleRow._fields) - 1  # the columns after these are the parameters
    return ScheduleRow._make((*columns[:alone], ParameterRow._make(columns[alone:])))


def issues_of(row: ScheduleRow | None, expression: str) -> list[Issue]:
    if row is None:
        return [Issue("not-found", "Loading schedule failed", expression)]
    issues = []
    if not row.active:
        issues.append(Issue("business-rule", "Schedule is inactive", expression))
    issues += [Issue("business-rule", f"{kind} is inactive", expression) for kind in row.closed.split(",") if kind]
    if not row.offers:
        text = "Schedule is not schedulable for requested service type"
        issues.append(Issue("invalid", text, expression))
    if not (row.parameters.timezone or row.actor_zone):
        issues.append(Issue("invalid", "No timezone specified", expression))
    if row.parameters.duration is None:
        text = "No SchedulingParameters found on Schedule or HealthcareService: no duration is set"
        issues.append(Issue("invalid", text, expression))
    return issues
