"""Who is told about a visit, by which ways, and whose clocks it goes by."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from clinic.models import Appointment, Event, Medium
from clinic.whereabouts import zone_for_patient
from scheduling.facts import ZONE_THERE

_AUDIENCE = f"""
    SELECT
        coalesce(nullif(patient.email, ''), account.email, ''), patient.phone, patient.user_id IS NOT NULL,
        carers.emails, carers.phones,
        coalesce(wants.by_email, true), coalesce(wants.by_sms, true), coalesce(wants.reminders, true),
        {ZONE_THERE}
    FROM clinic_appointment appointment
    JOIN clinic_patient patient ON patient.id = appointment.patient_id
    LEFT JOIN clinic_user account ON account.id = patient.user_id
    LEFT JOIN clinic_location site ON site.id = appointment.site_id
    LEFT JOIN clinic_messagepreferences wants ON wants.patient_id = patient.id
    LEFT JOIN LATERAL (
        SELECT array_agg(coalesce(nullif(carer.email, ''), theirs.email) ORDER BY carer.id) AS emails,
            array_agg(carer.phone ORDER BY carer.id) AS phones
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


def audience_of(appointment: Appointment) -> Audience | None:
    """Who is told about a visit; None where it has no patient. One statement, which is not composed anew."""
    if appointment.patient_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUDIENCE, [appointment.pk])
        own_email, own_phone, signs_in, emails, phones, by_email, by_sms, reminders, zone = cursor.fetchone()
    return Audience(
        emails=_either(own_email, emails),
        phones=_either(own_phone, phones),
        signs_in=signs_in or emails is not None,
        by_email=by_email,
        by_sms=by_sms,
        reminders=reminders,
        zone=zone_for_patient(appointment, ZoneInfo(zone)),
    )


def _either(own: str, carers: list[Any] | None) -> tuple[str, ...]:
    """The patient's own address, or those of the carers, each once."""
    return (own,) if own else tuple(dict.fromkeys(filter(None, carers or ())))
