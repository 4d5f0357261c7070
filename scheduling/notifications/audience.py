"""Recipients of a visit's messages: addresses, preferences and time zone."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from clinic.fhir import contacts
from clinic.models import Appointment, Event, Medium
from clinic.visit_place import zone_for_patient
from scheduling.visit_zone import ZONE_OF_PLACE, zone_or_clinics

_AUDIENCE = f"""
    SELECT
        jsonb_build_array(patient.email, account.email, patient.phone, patient.extra -> 'telecom'),
        patient.user_id IS NOT NULL,
        carers.people,
        coalesce(wants.by_email, true), coalesce(wants.by_sms, true), coalesce(wants.reminders, true),
        {ZONE_OF_PLACE}
    FROM clinic_appointment appointment
    JOIN clinic_patient patient ON patient.id = %s
    LEFT JOIN clinic_user account ON account.id = patient.user_id
    LEFT JOIN clinic_location site ON site.id = appointment.site_id
    LEFT JOIN clinic_messagepreferences wants ON wants.patient_id = patient.id
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(
            jsonb_build_array(carer.email, theirs.email, carer.phone, carer.extra -> 'telecom') ORDER BY carer.id
        ) AS people
        FROM clinic_relatedperson carer JOIN clinic_user theirs ON theirs.id = carer.user_id
        WHERE carer.patient_id = patient.id AND carer.active AND carer.deleted_at IS NULL AND theirs.is_active
    ) carers ON true
    WHERE appointment.id = %s
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """Addresses of the visit's patient, or else of their carers, with their preferences and the zone of the times."""

    emails: tuple[str, ...]
    phones: tuple[str, ...]
    signs_in: bool
    by_email: bool
    by_sms: bool
    reminders: bool
    zone: ZoneInfo

    def addresses(self, medium: str) -> tuple[str, ...]:
        """The addresses for messages of this medium. A message in the app has no address."""
        if medium == Medium.EMAIL:
            return self.emails
        if medium == Medium.SMS:
            return self.phones if settings.SMS_ENABLED else ()
        return ("",) if self.signs_in else ()

    def media(self, event: str) -> list[Medium]:
        """The media for messages of this event.

        News of a visit goes out by at least one medium; reminders only by media that the patient wants.
        """
        if event == Event.REMINDER and not self.reminders:
            return []
        preferences = {Medium.EMAIL: self.by_email, Medium.SMS: self.by_sms, Medium.IN_APP: True}
        possible = [medium for medium in Medium if self.addresses(medium)]
        chosen = [medium for medium in possible if preferences[medium]]
        return chosen or ([] if event == Event.REMINDER else possible[:1])


def audience_of(appointment: Appointment, *, now: datetime) -> Audience | None:
    """The audience of a visit; None if it has no patient. One statement.

    Only current addresses count: see clinic.fhir.contacts.
    """
    if appointment.patient_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUDIENCE, [appointment.patient_id, appointment.pk])
        own, signs_in, carers, by_email, by_sms, reminders, zone = cursor.fetchone()
    patient = _ContactDetails.read(json.loads(own), now)
    people = [_ContactDetails.read(each, now) for each in json.loads(carers or "[]")]
    return Audience(
        emails=_either(patient.email, [each.email for each in people]),
        phones=_either(patient.phone, [each.phone for each in people]),
        signs_in=signs_in or carers is not None,
        by_email=by_email,
        by_sms=by_sms,
        reminders=reminders,
        zone=zone_for_patient(appointment, zone_or_clinics(zone)),
    )


@dataclass(frozen=True, slots=True)
class _ContactDetails:
    """A person's email address, or else that of their account, and their number for text messages."""

    email: str
    phone: str

    @classmethod
    def read(cls, row: list[Any], now: datetime) -> "_ContactDetails":
        email, account, phone, telecom = row
        return cls(
            email=contacts.current(email, telecom, contacts.email_of, now) or account or "",
            phone=contacts.current(phone, telecom, contacts.texts_of, now),
        )


def _either(own: str, carers: list[str]) -> tuple[str, ...]:
    """The patient's own address, or else those of the carers without duplicates."""
    return (own,) if own else tuple(dict.fromkeys(filter(None, carers)))
