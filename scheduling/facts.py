"""The facts of a visit, derived once for pages, mails, text messages and calendar files.

They are its time and zone, place, practitioners, service, preparation and reference, the deadline for changes online,
and the phone number for questions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from clinic import addresses, time_text, visit_place
from clinic.fhir.codes import TIMEZONE
from clinic.local_time import in_zone, later
from clinic.models import Appointment, Location
from clinic.translations import TranslatedText, text_of
from clinic.zones import zone_named

Status = Appointment.Status

# SQL for the zone of a visit's place, from the tables `appointment` and `site`: the zone of its site, else of the
# SchedulingParameters of its schedule or service, else of the schedule's actor.
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
    ), 'UTC')
"""
_ZONES_OF_PLACES = f"""
    SELECT appointment.id, {ZONE_OF_PLACE}
    FROM clinic_appointment appointment LEFT JOIN clinic_location site ON site.id = appointment.site_id
    WHERE appointment.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The facts of an appointment that has a time. Times are local to `zone`."""

    appointment: Appointment
    zone: ZoneInfo

    @property
    def id(self) -> str:
        return self.appointment.fhir_id

    @property
    def reference(self) -> str:
        """The short reference, which people can read out on the phone."""
        return self.id.replace("-", "")[:8].upper()

    @property
    def start(self) -> datetime:
        assert self.appointment.start is not None  # appointment_has_time; pages and messages leave out the rest
        return in_zone(self.appointment.start, self.zone)

    @property
    def end(self) -> datetime:
        assert self.appointment.end is not None  # appointment_takes_time
        return in_zone(self.appointment.end, self.zone)

    @property
    def duration(self) -> timedelta:
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)

    @property
    def name(self) -> str:
        """The name of the service."""
        return text_of(self.appointment.service, "name") or _("Visit")

    @property
    def with_whom(self) -> str:
        """The names of the practitioners, as in the appointment's participants."""
        return ", ".join(participant_names(self.appointment, "Practitioner"))

    @property
    def room(self) -> TranslatedText:
        """The rooms, as the clinic calls them: the appointment has their names in one language."""
        return TranslatedText(", ".join(participant_names(self.appointment, "Location/")), settings.LANGUAGE_CODE)

    @property
    def by_video(self) -> bool:
        return visit_place.is_by_video(self.appointment)

    @property
    def site(self) -> Location | None:
        """The site that the patient goes to; None for a visit by video."""
        return visit_place.site_to_go_to(self.appointment)

    @property
    def where(self) -> str:
        """The site and its town; empty for a visit by video."""
        return visit_place.site_and_town(self.site) if self.site else ""

    @property
    def place(self) -> str:
        """The site, the room and the address on one line, or that the visit is by video; empty without a site."""
        site = self.site
        if self.by_video:
            return _("By video")
        if site is None:
            return ""
        rooms = self.room if self.room != site.name else ""
        return ", ".join(filter(None, (text_of(site, "name"), rooms, addresses.on_one_line(site))))

    @property
    def patient_name(self) -> str:
        return str(self.appointment.patient or "")

    @property
    def given(self) -> str:
        """The patient's given name, or the only one: all that a message says of who it is for."""
        patient = self.appointment.patient
        return (patient.given or str(patient)) if patient else ""

    @property
    def preparation(self) -> str:
        """The clinic's text on how to prepare for the visit."""
        return text_of(self.appointment.service, "preparation")

    @property
    def phone(self) -> str:
        """The phone number for questions about the visit: the site's, else the clinic's."""
        return visit_place.phone_of(self.appointment.site)

    @property
    def is_request(self) -> bool:
        """True if the patient has asked for this time and the clinic has not accepted it yet."""
        return self.appointment.is_request

    @property
    def is_booked(self) -> bool:
        return self.appointment.status == Status.BOOKED

    @property
    def is_promised(self) -> bool:
        """True if the visit is booked or requested, so that its time is kept until somebody cancels it."""
        return self.is_booked or self.is_request

    @property
    def asks_first(self) -> bool:
        """True if visits of this service are requested, and the clinic must accept them."""
        return bool(self.appointment.service and self.appointment.service.on_request)

    @property
    def waits_for_the_clinic(self) -> bool:
        """True if the clinic must accept the visit: it is a request, or a hold that becomes one when confirmed."""
        return self.is_request or (self.asks_first and self.appointment.status == Status.PENDING)

    @property
    def notice(self) -> timedelta:
        return self.appointment.service.cancellation_notice if self.appointment.service else timedelta(0)

    @property
    def changeable_until(self) -> datetime:
        """The last moment at which the patient can cancel online: the start of the visit if it is not accepted yet."""
        if self.waits_for_the_clinic:
            return self.start
        return in_zone(later(self.start.astimezone(UTC), -self.notice), self.zone)  # the clocks may change in between

    def can_be_cancelled(self, now: datetime) -> bool:
        """True if the patient can still cancel the visit online."""
        return self.is_promised and now <= self.changeable_until

    def can_be_moved(self, now: datetime) -> bool:
        """True if the patient can move the visit online, which they cannot if the clinic has accepted a request."""
        return self.can_be_cancelled(now) and not (self.is_booked and self.asks_first)

    def policy(self, now: datetime) -> str:
        """Return the sentences that say until when the patient can cancel online, or whom to call if they cannot."""
        until, length = self.changeable_until, time_text.length(self.notice)
        can_be_promised = self.is_promised or self.appointment.status == Status.PENDING
        if can_be_promised and now <= until:
            if not self.notice or self.waits_for_the_clinic:
                return _("You can cancel until the visit begins.")
            text = _("You can cancel until %(length)s before the visit, that is until %(day)s, %(time)s (%(zone)s).")
            day, time, zone = time_text.short_day(until), time_text.clock(until), time_text.zone_name(self.zone)
            return text % {"length": length, "day": day, "time": time, "zone": zone}
        if can_be_promised and self.notice and now < self.start:
            text = _("Visits can be cancelled online until %(length)s before they begin, and this one begins sooner.")
            return f"{text % {'length': length}} {self.if_one_cannot_come}"
        return f"{_('It can no longer be changed online.')} {self.if_one_cannot_come}"

    @property
    def if_one_cannot_come(self) -> str:
        """The sentence that says whom to call to cancel."""
        if self.phone:
            return _("If you cannot come, please call us: %(phone)s.") % {"phone": self.phone}
        return _("If you cannot come, please call the clinic.")


def participant_names(appointment: Appointment, kind: str) -> list[str]:
    """Return the names of an appointment's participants whose reference begins with `kind`."""
    return names_of_kind(appointment.participant, kind)


def names_of_kind(participants: Iterable[Mapping[str, Any]], kind: str) -> list[str]:
    """Return the names of FHIR participants whose reference begins with `kind`."""
    actors = (participant.get("actor", {}) for participant in participants)
    names = [actor.get("display", "") for actor in actors if str(actor.get("reference", "")).startswith(kind)]
    return [name for name in names if name]


def zones_of(appointments: Iterable[Appointment]) -> dict[int, ZoneInfo]:
    """Return the zone for the patient of each visit, by primary key: see zone_for_patient. One query."""
    rows = list(appointments)
    zones = _zones_of_places(rows)
    return {appointment.pk: visit_place.zone_for_patient(appointment, zones[appointment.pk]) for appointment in rows}


def zone_of_place(appointment: Appointment) -> ZoneInfo:
    """Return the zone of the visit's place, which is the zone for staff, also for a visit by video. One query."""
    return _zones_of_places([appointment])[appointment.pk]


def _zones_of_places(appointments: list[Appointment]) -> dict[int, ZoneInfo]:
    with connection.cursor() as cursor:
        cursor.execute(_ZONES_OF_PLACES, [[appointment.pk for appointment in appointments]])
        return {pk: zone_named(name) for pk, name in cursor.fetchall()}


def zone_in(extra: Mapping[str, Any]) -> ZoneInfo | None:
    """Return the zone in FHIR's timezone extension, or None if there is none or it is unknown."""
    for extension in extra.get("extension", ()):
        name = extension.get("valueCode", "") if extension.get("url") == TIMEZONE else ""
        if name:
            try:
                return zone_named(name)
            except (ValueError, OSError):
                return None
    return None
