"""The past of a clinic: visits that are over, with their messages and audit lines, written by a few statements."""

from datetime import date

import psycopg

from benchmarks.rows import insert

A_DAY = 24  # visits of a practitioner: every 20 minutes from eight to noon and from one to five
# The number of a visit is in its id, so that the rows about it find its calendar again.
NUMBER = "substr(visit.fhir_id, 6)::bigint"
IN_THE_PAST = "visit.fhir_id LIKE 'past-%'"
NUMBERED = "(SELECT {columns}, row_number() OVER (ORDER BY {table}.id) - 1 AS nth FROM {source})"
CALENDARS = NUMBERED.format(
    table="schedule",
    columns="schedule.id, schedule.bookable_id, schedule.site_id, site.timezone, practitioner.fhir_id AS practitioner",
    source="clinic_schedule schedule JOIN clinic_bookable actor ON actor.id = schedule.bookable_id"
    " JOIN clinic_practitioner practitioner ON practitioner.id = actor.practitioner_id"
    " JOIN clinic_location site ON site.id = schedule.site_id",
)
PATIENTS = NUMBERED.format(table="patient", columns="patient.id, patient.fhir_id", source="clinic_patient patient")
PARTICIPANT = "jsonb_build_object('actor', jsonb_build_object('reference', '{}' || {}), 'status', 'accepted')"
SERVICES = NUMBERED.format(table="service", columns="service.id", source="clinic_healthcareservice service")


def add(connection: psycopg.Connection, count: int, *, before: date) -> None:
    """Add this many visits on the days before `before`, all calendars of practitioners full.

    One in fifteen was cancelled, one in twelve of the others missed. Each has an email that was sent and an audit line.
    The visits are spread over all patients and services.
    """
    calendars, patients, services = (_count(connection, rows) for rows in (CALENDARS, PATIENTS, SERVICES))
    visits = f"""
        generate_series(0::bigint, {count} - 1) n
        JOIN {CALENDARS} calendar ON calendar.nth = n % {calendars}
        JOIN {PATIENTS} patient ON patient.nth = n * 7919 % {patients}
        JOIN {SERVICES} service ON service.nth = n * 31 % {services}
        CROSS JOIN LATERAL (SELECT n / {calendars} AS earlier) place
        CROSS JOIN LATERAL (
            SELECT (
                date '{before.isoformat()}' - 1 - (earlier / {A_DAY})::int + interval '8 hours'
                + (earlier % {A_DAY}) * interval '20 minutes'
                + CASE WHEN earlier % {A_DAY} >= {A_DAY} / 2 THEN interval '1 hour' ELSE interval '0' END
            ) AT TIME ZONE calendar.timezone AS begins
        ) placed
    """
    of_visits = f"clinic_appointment visit WHERE {IN_THE_PAST}"
    tables: list[tuple[str, dict[str, str], str]] = [
        (
            "clinic_appointment",
            {
                "fhir_id": "'past-' || n",
                "status": "CASE WHEN n % 15 = 0 THEN 'cancelled' WHEN n % 12 = 0 THEN 'noshow' ELSE 'fulfilled' END",
                "service_id": "service.id",
                "patient_id": "patient.id",
                "site_id": "calendar.site_id",
                "start": "begins",
                "end": "begins + interval '20 minutes'",
                "created": "begins - interval '9 days'",
                "last_updated": "begins + interval '20 minutes'",
                "participant": f"jsonb_build_array({PARTICIPANT.format('Patient/', 'patient.fhir_id')},"
                f" {PARTICIPANT.format('Practitioner/', 'calendar.practitioner')})",
            },
            visits,
        ),
        (
            "clinic_slot",
            {
                "fhir_id": "visit.fhir_id",
                "schedule_id": "calendar.id",
                "bookable_id": "calendar.bookable_id",
                "appointment_id": "visit.id",
                "status": "'busy'",
                "start": "visit.start",
                "end": 'visit."end"',
                "last_updated": "visit.last_updated",
            },
            f"clinic_appointment visit JOIN {CALENDARS} calendar ON calendar.nth = {NUMBER} % {calendars}"
            f" WHERE {IN_THE_PAST} AND visit.status <> 'cancelled' ORDER BY calendar.bookable_id, visit.start",
        ),
        (
            "clinic_communication",
            {
                "fhir_id": "visit.fhir_id",
                "status": "'completed'",
                "event": "'confirmation'",
                "medium": "'email'",
                "patient_id": "visit.patient_id",
                "appointment_id": "visit.id",
                "address": "'patient@example.com'",
                "language": "'en'",
                "subject": "'Your visit is booked'",
                "body": "'Your visit is booked. We look forward to seeing you.'",
                "due": "visit.created",
                "sent": "visit.created",
                "last_updated": "visit.created",
            },
            of_visits,
        ),
        (
            "clinic_auditevent",
            {
                "fhir_id": "visit.fhir_id",
                "action": "'C'",
                "subtype": "'book'",
                "recorded": "visit.created",
                "appointment_id": "visit.id",
                "patient_id": "visit.patient_id",
                "last_updated": "visit.created",
            },
            of_visits,
        ),
    ]
    for table, values, source in tables:
        connection.execute(insert(connection, table, values, source))


def _count(connection: psycopg.Connection, rows: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {rows} row").fetchone()
    assert found is not None
    return int(found[0])
