"""A patient's message preferences: read and save."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from clinic import phones
from clinic.models import MessagePreferences, Patient
from scheduling import notifications


def of(patient: Patient) -> dict[str, Any]:
    """Return the preferences as initial values of the form. Without a row, all channels with an address are on."""
    chosen = MessagePreferences.objects.filter(patient=patient).first() or MessagePreferences(patient=patient)
    return {
        "by_email": chosen.by_email,
        "by_sms": chosen.by_sms and bool(patient.phone) and phones.text_to(patient.phone) not in chosen.stopped_numbers,
        "reminders": chosen.reminders,
        "phone": patient.phone,
        "language": patient.language or settings.LANGUAGE_CODE,
    }


def save(patient: Patient, choice: dict[str, Any], *, now: datetime) -> None:
    """Save the preferences, and plan the reminders of upcoming visits again.

    A patient who chooses text messages gets them again, also after STOP.
    """
    ways: dict[str, Any] = {name: choice[name] for name in ("by_email", "by_sms", "reminders") if name in choice}
    if choice.get("by_sms"):
        ways["stopped_numbers"] = []
    with transaction.atomic():
        MessagePreferences.objects.update_or_create(patient=patient, defaults=ways)
        if (patient.phone, patient.language) != (choice["phone"], choice["language"]):
            patient.phone, patient.language = choice["phone"], choice["language"]
            patient.version += 1
            patient.last_updated = now
            patient.save(update_fields=["phone", "language", "version", "last_updated"])
        notifications.plan_reminders(patient, now=now)


def stop_reminders(patient_id: str) -> bool:
    """Turn off reminders for the patient with this id. Returns False if there is no such patient."""
    patient = Patient.objects.filter(fhir_id=patient_id, deleted_at=None).first()
    if patient is None:
        return False
    MessagePreferences.objects.update_or_create(patient=patient, defaults={"reminders": False})
    return True
