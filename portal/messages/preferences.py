"""How a patient is told: what they chose, and what follows from another choice."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from clinic.models import MessagePreferences, Patient
from scheduling import notifications


def of(patient: Patient) -> dict[str, Any]:
    """What is chosen, as the form shows it. Without a row: everything there is an address for."""
    chosen = MessagePreferences.objects.filter(patient=patient).first() or MessagePreferences(patient=patient)
    return {
        "by_email": chosen.by_email,
        "by_sms": chosen.by_sms and bool(patient.phone),
        "reminders": chosen.reminders,
        "phone": patient.phone,
        "language": patient.language or settings.LANGUAGE_CODE,
    }


def save(patient: Patient, choice: dict[str, Any], *, now: datetime) -> None:
    """Write it down. Reminders of visits to come go the new ways."""
    ways: dict[str, Any] = {name: choice[name] for name in ("by_email", "by_sms", "reminders") if name in choice}
    with transaction.atomic():
        MessagePreferences.objects.update_or_create(patient=patient, defaults=ways)
        if (patient.phone, patient.language) != (choice["phone"], choice["language"]):
            patient.phone, patient.language = choice["phone"], choice["language"]
            patient.version += 1
            patient.last_updated = now
            patient.save(update_fields=["phone", "language", "version", "last_updated"])
        notifications.plan_reminders(patient, now=now)


def stop_reminders(patient_id: str) -> bool:
    """No more reminders for the patient with this id. False where there is none."""
    patient = Patient.objects.filter(fhir_id=patient_id, deleted_at=None).first()
    if patient is None:
        return False
    MessagePreferences.objects.update_or_create(patient=patient, defaults={"reminders": False})
    return True
