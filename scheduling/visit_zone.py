"""The zone in which a visit is shown: on pages, in messages, in calendar files, and where a rule needs its day.

It is the zone of the visit's place: of its site, else of its schedule's parameters for the service, else of the
schedule's actor, else of the clinic. The patient of a visit by video can choose another.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import DateField, DateTimeField, Func, Value
from django.db.models.functions import Cast, Coalesce, NullIf

from clinic import visit_place
from clinic.country import clinic_zone
from clinic.fhir.schedules import zone_of_hours
from clinic.models import Appointment, Schedule
from clinic.zones import zone_named

# SQL for the name of the zone of a visit's place, with the tables `appointment` and `site`; empty if it has none.
ZONE_OF_PLACE = """
    coalesce(nullif(site.timezone, ''), (
        SELECT coalesce(
            nullif(own.timezone, ''), nullif(general.timezone, ''), nullif(role.timezone, ''),
            nullif(practitioner.timezone, ''), nullif(place.timezone, ''), nullif(device.timezone, '')
        )
        FROM clinic_slot slot
        JOIN clinic_schedule schedule ON schedule.id = slot.schedule_id
        JOIN clinic_bookable bookable ON bookable.id = slot.bookable_id
        LEFT JOIN clinic_schedulingparameters own
            ON own.schedule_id = schedule.id AND own.service_id = appointment.service_id
        LEFT JOIN clinic_schedulingparameters general
            ON general.schedule_id IS NULL AND general.service_id = appointment.service_id
        LEFT JOIN clinic_practitionerrole role ON role.id = schedule.practitioner_role_id
        LEFT JOIN clinic_practitioner practitioner ON practitioner.id = bookable.practitioner_id
        LEFT JOIN clinic_location place ON place.id = bookable.location_id
        LEFT JOIN clinic_device device ON device.id = bookable.device_id
        WHERE slot.appointment_id = appointment.id AND slot.status <> 'busy-unavailable'
        ORDER BY slot.id DESC LIMIT 1
    ), '')
"""
_ZONES_OF_PLACE = f"""
    SELECT appointment.id, {ZONE_OF_PLACE}
    FROM clinic_appointment appointment LEFT JOIN clinic_location site ON site.id = appointment.site_id
    WHERE appointment.id = ANY(%s)
"""


def zones_of(appointments: Iterable[Appointment]) -> dict[int, ZoneInfo]:
    """The zone in which the patient reads each visit, by primary key. One statement at most."""
    appointments = list(appointments)
    zones = zones_of_place(appointments)
    return {
        appointment.pk: visit_place.zone_for_patient(appointment, zones[appointment.pk]) for appointment in appointments
    }


def zones_of_place(appointments: Iterable[Appointment]) -> dict[int, ZoneInfo]:
    """The zone of each visit's place, by primary key: its staff's, also for a visit by video. One statement at most.

    There is none if the site of every visit is loaded and has a zone.
    """
    zones = {appointment.pk: _zone_of_site(appointment) for appointment in appointments}
    unknown = [pk for pk, zone in zones.items() if zone is None and pk is not None]
    names: dict[int, str] = {}
    if unknown:
        with connection.cursor() as cursor:
            cursor.execute(_ZONES_OF_PLACE, [unknown])
            names = dict(cursor.fetchall())
    found = {name: zone_or_clinics(name) for name in {names.get(pk, "") for pk, zone in zones.items() if zone is None}}
    return {pk: zone or found[names.get(pk, "")] for pk, zone in zones.items()}


def zone_of_place(appointment: Appointment) -> ZoneInfo:
    """The zone of the visit's place. One statement at most."""
    return zones_of_place([appointment])[appointment.pk]


def local_day() -> Cast:
    """The expression for the day of an Appointment by the clocks of its site, or of the clinic if it has none."""
    zone = Coalesce(NullIf("site__timezone", Value("")), Value(clinic_zone().key))
    return Cast(Func(zone, "start", function="timezone", output_field=DateTimeField()), DateField())


def zone_of_schedule(schedule: Schedule) -> ZoneInfo:
    """The zone of a schedule's times for staff: its site's, else that of its hours, else the clinic's."""
    return zone_or_clinics((schedule.site.timezone if schedule.site else "") or zone_of_hours(schedule))


def zone_or_clinics(name: str) -> ZoneInfo:
    """The zone with this name, or the clinic's if the name is empty."""
    return zone_named(name) if name else clinic_zone()


def _zone_of_site(appointment: Appointment) -> ZoneInfo | None:
    """The zone of the appointment's site, if the site is loaded and has one."""
    site = appointment.site if appointment.site_id and "site" in appointment._state.fields_cache else None
    return zone_named(site.timezone) if site is not None and site.timezone else None
