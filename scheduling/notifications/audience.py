"""Who is told about a visit, by which ways, and whose clocks it goes by."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from clinic import contacts
from clinic.models import Appointment, Event, Medium
from clinic.visit_place import zone_for_patient
from clinic.zones import zone_named
from scheduling.facts import ZONE_OF_PLACE

_AUDIENCE = f"""
    SELECT
        jsonb_build_array(patient.email, account.email, patient.phone, patient.extra -> 'telecom'),
        patient.user_id IS NOT NULL,
        carers.people,
        coalesce(wants.by_email, true), coalesce(wants.by_sms, true), coalesce(wants.reminders, true),
        {ZONE_OF_PLACE}
    FROM clinic_appointment appointment
    JOIN clinic_patient patient ON patient.id = appointment.patient_id
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
    """The addresses of a visit's patient, or else of those who care for them, and how they want to be told."""

    emails: tuple[str, ...]
    phones: tuple[str, ...]
    signs_in: bool
    by_email: bool
    by_sms: bool
    reminders: bool
    zone: ZoneInfo

    def addresses(self, medium: str) -> tuple[str, ...]:
        """Where a message of this medium can go; on the pages it needs no address."""
        if medium == Medium.EMAIL:
            return self.emails
        if medium == Medium.SMS:
            return self.phones if settings.SMS_ENABLED else ()
        return ("",) if self.signs_in else ()

    def media(self, event: str) -> list[Medium]:
        """The ways that are wanted. News of a visit goes by one way at least, a reminder by none if none is wanted."""
        if event == Event.REMINDER and not self.reminders:
            return []
        wanted = {Medium.EMAIL: self.by_email, Medium.SMS: self.by_sms, Medium.IN_APP: True}
        possible = [medium for medium in Medium if self.addresses(medium)]
        chosen = [medium for medium in possible if wanted[medium]]
        return chosen or ([] if event == Event.REMINDER else possible[:1])


def audience_of(appointment: Appointment, *, now: datetime) -> Audience | None:
    """The audience of a visit; None if it has no patient. One statement, which is not composed anew.

    By the addresses that count now: clinic.contacts.
    """
    if appointment.patient_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUDIENCE, [appointment.pk])
        own, signs_in, carers, by_email, by_sms, reminders, zone = cursor.fetchone()
    patient = _Reachable.read(json.loads(own), now)
    people = [_Reachable.read(each, now) for each in json.loads(carers or "[]")]
    return Audience(
        emails=_either(patient.email, [each.email for each in people]),
        phones=_either(patient.phone, [each.phone for each in people]),
        signs_in=signs_in or carers is not None,
        by_email=by_email,
        by_sms=by_sms,
        reminders=reminders,
        zone=zone_for_patient(appointment, zone_named(zone)),
    )


@dataclass(frozen=True, slots=True)
class _Reachable:
    """Somebody's address for mail, else that of their account, and their number for texts."""

    email: str
    phone: str

    @classmethod
    def read(cls, row: list[Any], now: datetime) -> "_Reachable":
        email, account, phone, telecom = row
        return cls(
            email=contacts.current(email, telecom, contacts.email_of, now) or account or "",
            phone=contacts.current(phone, telecom, contacts.texts_of, now),
        )


def _either(own: str, carers: list[str]) -> tuple[str, ...]:
    """The patient's own address, or those of the carers, each once."""
    return (own,) if own else tuple(dict.fromkeys(filter(None, carers)))
