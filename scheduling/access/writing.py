"""What people may write of resources. Software is bound by its scopes alone, and administrators may everything."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Appointment, Patient, Resource, Schedule, Subscription
from scheduling.access.callers import Caller
from scheduling.access.reach import PUBLIC, reaches_all
from scheduling.access.rows import at_work, visible
from scheduling.errors import Forbidden, Issue, NotFound

# Which interactions, of c and u, with which types of resource.
DESK = {"Patient": "cu", "Coverage": "cu", "RelatedPerson": "cu", "AppointmentResponse": "c"}
PRACTITIONER = {"AppointmentResponse": "c"}
PATIENT = {"Patient": "u", "Coverage": "cu", "QuestionnaireResponse": "cu", "AppointmentResponse": "c"}

# The elements of their own record that patients keep up to date, and those that columns are of.
CONTACT = frozenset({"telecom", "address", "communication", "contact"})
ELEMENTS = {
    "family": "name",
    "given": "name",
    "prefix": "name",
    "birth_date": "birthDate",
    "phone": "telecom",
    "email": "telecom",
    "language": "communication",
}


def is_unbound(caller: Caller) -> bool:
    """True if no rule of this module binds the caller."""
    return caller.is_system or caller.is_administrator


def sees_all(caller: Caller, kind: str) -> bool:
    """True if no resource of the type is hidden from the caller, as some are from software with narrower scopes."""
    is_others = caller.is_system and kind == Subscription.RESOURCE_TYPE
    return is_unbound(caller) and reaches_all(caller, kind, "rsu") and not is_others


def may_write_some(caller: Caller, resource_type: str, interaction: str) -> bool:
    """True if a person may create (c) or update (u) resources of the type at all; which ones says `may_write`."""
    return caller.is_administrator or any(interaction in rights.get(resource_type, "") for rights in _rights(caller))


def may_write(
    caller: Caller, resource_type: str, fhir_id: str, fields: Mapping[str, Any], row: Resource | None = None
) -> None:
    """Raise Forbidden or NotFound unless a person may make the row, or a new one, what `fields` (columns) say."""
    if is_unbound(caller):
        return
    interaction = "c" if row is None else "u"
    if caller.desk_sites and interaction in DESK.get(resource_type, ""):
        return
    if row is None and not may_write_some(caller, resource_type, interaction):
        raise NotFound(f"There is no {resource_type}/{fhir_id}.")  # such as a Patient whom a patient updates
    if resource_type in OF_PATIENTS:
        OF_PATIENTS[resource_type](caller, fields, row)


def patients_of(caller: Caller) -> list[Patient]:
    """Whom the caller writes for: the patient in the context of an app, else themselves and those they care for."""
    return [each for each in caller.patients.values() if caller.in_context in (None, each.pk)]


def names_all(caller: Caller, kind: str) -> bool:
    """True if the caller can refer to every resource of the type, as everyone can to what describes the clinic."""
    return sees_all(caller, kind) or (kind in PUBLIC and kind != Schedule.RESOURCE_TYPE)


def known_to(caller: Caller, model: type[Resource], keys: Collection[int]) -> set[int]:
    """Those of the rows to which the caller can refer: what they may see or change, and themselves; of Schedules
    those of the clinic. One statement at most.
    """
    if names_all(caller, model.RESOURCE_TYPE):
        return set(keys)
    there = Q(pk__in=visible(model, caller, "rsu").values("pk"))
    if model is Schedule:
        there |= Q(bookable__patient=None)
    elif model is Patient:
        there |= Q(pk__in=[each.pk for each in patients_of(caller)])
    return set(model._default_manager.filter(there, pk__in=keys).values_list("pk", flat=True))


def answered_by(caller: Caller, appointment: Appointment, actors: Collection[str]) -> set[str]:
    """Those of a visit's participants, as FHIR references, for whom the caller answers.

    Everyone for themselves, a patient for those they care for as well; who runs the calendar for the clinic's people
    and rooms; software for anyone.
    """
    if is_unbound(caller):
        return set(actors)
    own = {each.reference for each in caller.patients.values()} & set(actors)
    clinics = {each for each in actors if not each.startswith("Patient/")}
    if not clinics or not at_work(caller).filter(pk=appointment.pk).exists():
        return own
    if appointment.site_id in caller.desk_sites:
        return own | clinics
    themselves = _names(caller)
    return own | {each for each in clinics if each in themselves or not each.startswith("Practitioner")}


def answer_for(caller: Caller, appointment: Appointment, actor: str) -> None:
    """Raise Forbidden unless the caller answers for this participant."""
    if not answered_by(caller, appointment, [actor]):
        raise Forbidden(_("You can answer only for yourself and for people whose calendar you manage."))


def _rights(caller: Caller) -> Iterator[Mapping[str, str]]:
    if caller.desk_sites:
        yield DESK
    if caller.practitioner:
        yield PRACTITIONER
    if caller.patients:
        yield PATIENT


def _names(caller: Caller) -> set[str]:
    """A practitioner, and their roles."""
    if caller.practitioner is None:
        return set()
    return {caller.practitioner.reference, *(role.reference for role in caller.practitioner.roles.all())}


def _own_record(caller: Caller, fields: Mapping[str, Any], row: Any) -> None:
    """Where to reach them, and in which language. Who somebody is, the clinic writes down."""
    _own(caller, row.pk)
    wrong = sorted(_changed(fields, row) - CONTACT)
    if wrong:
        text = _("Only the clinic can change this. Please contact the clinic.")
        raise Forbidden(issues=[Issue("forbidden", text, f"Patient.{name}") for name in wrong])


def _changed(fields: Mapping[str, Any], row: Any) -> set[str]:
    """The elements that would be others."""
    extra = fields["extra"]
    columns = {name for name, value in fields.items() if name != "extra" and getattr(row, name) != value}
    others = {name for name in row.extra.keys() | extra.keys() if row.extra.get(name) != extra.get(name)}
    return {ELEMENTS.get(name, name) for name in columns} | others


def _of_own(column: str) -> Callable[[Caller, Mapping[str, Any], Any], None]:
    """Rows of themselves and of those they care for, before and after; `column` says whose they are."""

    def judge(caller: Caller, fields: Mapping[str, Any], row: Any) -> None:
        if row is not None:
            _own(caller, getattr(row, column))
        _own(caller, fields[column])

    return judge


def _own(caller: Caller, patient: int | None) -> None:
    if patient not in caller.patients:
        raise Forbidden(_("You can add or change only records about yourself and people you care for."))


# What binds a patient, by type of resource.
OF_PATIENTS: dict[str, Callable[[Caller, Mapping[str, Any], Any], None]] = {
    "Patient": _own_record,
    "Coverage": _of_own("beneficiary_id"),
    "QuestionnaireResponse": _of_own("patient_id"),
}
