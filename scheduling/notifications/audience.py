"""Recipients of a visit's messages: addresses, preferences and time zone."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from clinic import childhood, phones
from clinic.fhir import contacts
from clinic.models import Appointment, Event, Medium, MessagePreferences, Patient, RelatedPerson
from clinic.visit_place import zone_for_patient
from scheduling.visit_zone import ZONE_OF_PLACE, zone_or_clinics

_COLUMNS = f"""
    SELECT
        jsonb_build_array(patient.email, account.email, patient.phone, patient.extra -> 'telecom'),
        patient.user_id IS NOT NULL, patient.birth_date,
        carers.people,
        coalesce(wants.by_email, true), coalesce(wants.by_sms, true), coalesce(wants.reminders, true),
        coalesce(wants.stopped_numbers, '{{}}'),
        {ZONE_OF_PLACE}
    FROM clinic_appointment appointment
"""
_RELATED = """
    LEFT JOIN clinic_user account ON account.id = patient.user_id
    LEFT JOIN clinic_location site ON site.id = appointment.site_id
    LEFT JOIN clinic_messagepreferences wants ON wants.patient_id = patient.id
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(
            jsonb_build_array(
                jsonb_build_array(carer.email, theirs.email, carer.phone, carer.extra -> 'telecom'),
                carer.relationship, carer.keeps_access
            ) ORDER BY carer.id
        ) AS people
        FROM clinic_relatedperson carer JOIN clinic_user theirs ON theirs.id = carer.user_id
        WHERE carer.patient_id = patient.id AND carer.active AND carer.deleted_at IS NULL AND theirs.is_active
    ) carers ON true
"""
_AUDIENCE = f"{_COLUMNS} JOIN clinic_patient patient ON patient.id = %s {_RELATED} WHERE appointment.id = %s"
_AUDIENCES = (
    f"{_COLUMNS.replace('SELECT', 'SELECT appointment.id,', 1)}"
    f" JOIN clinic_patient patient ON patient.id = appointment.patient_id {_RELATED} WHERE appointment.id = ANY(%s)"
)


ONLY_IF_WANTED = (Event.REMINDER, Event.RECALL)


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

    @property
    def people(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The addresses that tell whom the messages reach."""
        return self.emails, self.phones

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
        if event in ONLY_IF_WANTED and not self.reminders:
            return []
        preferences = {Medium.EMAIL: self.by_email, Medium.SMS: self.by_sms, Medium.IN_APP: True}
        possible = [medium for medium in Medium if self.addresses(medium)]
        chosen = [medium for medium in possible if preferences[medium]]
        return chosen or ([] if event in ONLY_IF_WANTED else possible[:1])


def audience_of(appointment: Appointment, *, now: datetime) -> Audience | None:
    """The audience of a visit; None if it has no patient. One statement.

    Only current addresses count: see clinic.fhir.contacts.
    """
    if appointment.patient_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUDIENCE, [appointment.patient_id, appointment.pk])
        return _audience(appointment, cursor.fetchone(), now)


def audiences_of(appointments: Collection[Appointment], *, now: datetime) -> dict[int, Audience]:
    """The audiences of visits that have one patient, by primary key of the visit. One statement."""
    visits = {appointment.pk: appointment for appointment in appointments}
    with connection.cursor() as cursor:
        cursor.execute(_AUDIENCES, [list(visits)])
        return {pk: _audience(visits[pk], row, now) for pk, *row in cursor.fetchall()}


def _audience(appointment: Appointment, row: Sequence[Any], now: datetime) -> Audience:
    own, signs_in, born, carers, by_email, by_sms, reminders, stopped, zone = row
    patient = _ContactDetails.read(json.loads(own), now)
    is_over = childhood.is_over(born, now, has_account=signs_in)
    people = [
        _ContactDetails.read(contacts_of_carer, now)
        for contacts_of_carer, relationship, keeps in json.loads(carers or "[]")
        if not (is_over and childhood.ends_access(relationship, keeps=keeps))
    ]
    return Audience(
        emails=_either(patient.email, [each.email for each in people]),
        phones=_without(stopped, _either(patient.phone, [each.phone for each in people])),
        signs_in=signs_in or bool(people),
        by_email=by_email,
        by_sms=by_sms,
        reminders=reminders,
        zone=zone_for_patient(appointment, zone_or_clinics(zone)),
    )


def addresses_of(patient: Patient, *, now: datetime) -> dict[Medium, tuple[str, ...]]:
    """The addresses for messages to a patient about no visit, by email and on the pages: the patient's own, or else
    those of carers with whom the patient shares everything.
    """
    carers = RelatedPerson.objects.filter(patient=patient, active=True, user__is_active=True, deleted_at=None)
    rows = carers.filter(access=RelatedPerson.Access.ALL).select_related("user", "patient").order_by("pk")
    people = [row for row in rows if row.user and childhood.lets(row, now)]
    telecom = patient.extra.get("telecom")
    account = patient.user.email if patient.user else ""
    own = contacts.current(patient.email, telecom, contacts.email_of, now) or account
    emails = _either(own, [carer.email or (carer.user.email if carer.user else "") for carer in people])
    signs_in = patient.user_id is not None or bool(people)
    return {Medium.EMAIL: emails, Medium.IN_APP: ("",) if signs_in else ()}


def address_of(patient: Patient, media: Collection[str], *, now: datetime) -> str:
    """The address for a message about no visit that goes out once: by email, or else by text, among these media.

    Empty if the patient has none, or wants no messages there.
    """
    chosen = MessagePreferences.objects.filter(patient=patient).first() or MessagePreferences(patient=patient)
    emails = addresses_of(patient, now=now)[Medium.EMAIL] if Medium.EMAIL in media and chosen.by_email else ()
    number = contacts.current(patient.phone, patient.extra.get("telecom"), contacts.texts_of, now)
    texts = settings.SMS_ENABLED and Medium.SMS in media and chosen.by_sms
    numbers = _without(chosen.stopped_numbers, (number,)) if number and texts else ()
    return next(iter((*emails, *numbers)), "")


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


def _without(stopped: list[str], numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the numbers to which texts may go: those that have not answered STOP."""
    return tuple(number for number in numbers if phones.text_to(number) not in stopped) if stopped else numbers
