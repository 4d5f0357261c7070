"""Participants of an Appointment, as FHIR has them: how one is built, and how they are read.

https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.participant
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from django.conf import settings
from django.db.models import Q

from clinic.models import Appointment, AppointmentPatient, Patient
from clinic.place_names import name_of_place
from clinic.translations import TranslatedText

Json = dict[str, Any]

PRACTITIONER = "Practitioner"  # and PractitionerRole: the kind of a reference is how it begins
PATIENT = "Patient/"
PLACE = "Location/"


def participant(reference: str, display: str, status: str) -> Json:
    """A required participant. Without `display` the actor has no name."""
    named = {"display": display} if display else {}
    return {"actor": {"reference": reference, **named}, "required": "required", "status": status}


def actor_of(element: Mapping[str, Any]) -> str:
    """The reference of a participant's actor as it is written; empty without one."""
    return str(element.get("actor", {}).get("reference") or "")


def references_of(participants: Iterable[Mapping[str, Any]], kind: str = "") -> list[str]:
    """The references of the actors of this kind, or of all, in their order."""
    return [reference for each in participants if (reference := actor_of(each)) and reference.startswith(kind)]


def names_by_reference(participants: Iterable[Mapping[str, Any]], kind: str) -> dict[str, str]:
    """The names of the actors of this kind by their references, empty for those without a name."""
    return {
        reference: each["actor"].get("display", "")
        for each in participants
        if (reference := actor_of(each)).startswith(kind)
    }


def names_of_kind(participants: Iterable[Mapping[str, Any]], kind: str) -> list[str]:
    """The names of the actors whose reference begins with `kind`."""
    names = (each["actor"].get("display", "") for each in participants if actor_of(each).startswith(kind))
    return [name for name in names if name]


def participant_names(appointment: Appointment, kind: str) -> list[str]:
    """The names of an appointment's actors whose reference begins with `kind`."""
    return names_of_kind(appointment.participant, kind)


def room_names(appointment: Appointment) -> TranslatedText:
    """The names of the rooms in the reader's language, with commas; in the clinic's if they are not translated."""
    named = names_by_reference(appointment.participant, PLACE)
    names = [name_of_place(reference, name) for reference, name in named.items() if name]
    foreign = next((name.language for name in names if name.is_foreign), "")
    return TranslatedText(", ".join(names), foreign or (names[0].language if names else settings.LANGUAGE_CODE))


def is_patient(element: Mapping[str, Any]) -> bool:
    return actor_of(element).startswith(PATIENT)


def is_practitioner(element: Mapping[str, Any]) -> bool:
    """True if the participant is a practitioner, as a person or in a role."""
    return actor_of(element).startswith(PRACTITIONER)


def declined(element: Json) -> Json:
    """The participant, declined if it is the patient."""
    return {**element, "status": "declined"} if is_patient(element) else element


def awaiting_answers(participants: Sequence[Json]) -> list[Json]:
    """The participants of a request: its practitioners still have to answer; without any, everybody but the patient
    has to.
    """
    has_practitioner = any(map(is_practitioner, participants))

    def must_answer(element: Json) -> bool:
        return is_practitioner(element) if has_practitioner else not is_patient(element)

    return [{**each, "status": "needs-action" if must_answer(each) else "accepted"} for each in participants]


def encounter_participants(participants: Iterable[Json]) -> list[Json]:
    """The practitioners of a visit as participants of its Encounter."""
    return [{"individual": each["actor"]} for each in participants if is_practitioner(each)]


def is_group(appointment: Appointment) -> bool:
    """True if the visit has several patients, counting those who have left it."""
    return len(set(references_of(appointment.participant, PATIENT))) > 1


def attending(participants: Iterable[Json]) -> list[str]:
    """The references of the patients who take part, in their order and without those who have declined."""
    return list(dict.fromkeys(references_of((each for each in participants if not has_declined(each)), PATIENT)))


def has_declined(element: Mapping[str, Any]) -> bool:
    return element.get("status") == "declined"


def patients_of(appointment: Appointment) -> list[Patient]:
    """The patients who come to the visit, the one of its column first. One statement if there are several."""
    first = [appointment.patient] if appointment.patient is not None else []
    names = set(attending(appointment.participant)) - {patient.reference for patient in first}
    if not first or not names:
        return first
    ids = [name.removeprefix(PATIENT) for name in names]
    return [*first, *Patient.objects.filter(fhir_id__in=ids, deleted_at=None).order_by("pk")]


def visit_of_patient(appointment: Appointment, patient: Patient) -> Appointment:
    """A copy of a visit of several patients as one of them has it: theirs, and cancelled once they have left it.

    It is for pages and messages, and never saved.
    """
    visit = copy(appointment)
    visit.patient = patient
    own = [each for each in appointment.participant if actor_of(each) == patient.reference]
    if own and all(map(has_declined, own)) and appointment.status != Appointment.Status.ENTERED_IN_ERROR:
        visit.status, visit.hold_expires_at = Appointment.Status.CANCELLED, None
    return visit


def patient_named(appointment: Appointment, fhir_id: str) -> Patient | None:
    """The patient with this id, if they take part in the visit or have left it. One statement."""
    if f"{PATIENT}{fhir_id}" not in references_of(appointment.participant):
        return None
    return Patient.objects.filter(fhir_id=fhir_id, deleted_at=None).first()


def of_patient(patient: int | None, visit: str = "", *, or_came: bool = False) -> Q:
    """Condition for visits to which the patient (a primary key) comes, alone or with others; with `or_came` also for
    those of several that the patient has left. `visit` is the lookup of the visit in other rows, such as
    `appointment__`.

    It is a union of two lookups by index; with OR, PostgreSQL would read the whole table.
    """
    alone = Appointment.objects.filter(patient=patient).order_by().values("pk")
    with_others = AppointmentPatient.objects.filter(patient=patient).values("appointment")
    if not or_came:
        with_others = with_others.filter(has_left=False)
    return Q(**{f"{visit}pk__in": alone.union(with_others, all=True)})
