"""Decisions about what people may write, by the RULES of each type. Software is limited by its scopes alone;
administrators may write all.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Appointment, Patient, Resource, Slot, Subscription
from scheduling.access.callers import Caller
from scheduling.access.compartments import PATIENT, PUBLIC
from scheduling.access.resource_rules import FLAGS, NEEDS, RULES, check_write
from scheduling.access.roles import Action
from scheduling.access.rows import staff_appointments, visible
from scheduling.access.scope_filters import has_scope_on_all
from scheduling.errors import Forbidden, NotFound


def is_unbound(caller: Caller) -> bool:
    """True if no rule of this module applies to the caller."""
    return caller.is_system or caller.writes_all


def sees_all(caller: Caller, kind: str) -> bool:
    """True if no resource of the type is hidden from the caller, as some are from software with narrower scopes."""
    is_others = caller.is_system and kind == Subscription.RESOURCE_TYPE
    return is_unbound(caller) and has_scope_on_all(caller, kind, "rsu") and not is_others


def may_write_some(caller: Caller, resource_type: str, interaction: str) -> bool:
    """True if a person may create (c) or update (u) at least some resources of the type; `may_write` decides for
    each.
    """
    if caller.writes_all:
        return True
    rule = RULES.get(resource_type)
    return rule is not None and bool(
        (interaction in rule.desk and caller.runs_desk)
        or (interaction in rule.practitioner and caller.bounds(Action.RUN).practitioners)
        or (interaction in rule.patient and caller.patients)
    )


def may_write(
    caller: Caller, resource_type: str, fhir_id: str, fields: Mapping[str, Any], row: Resource | None = None
) -> None:
    """Raise Forbidden or NotFound unless a person may write `fields` (columns) to the row, or to a new row."""
    if is_unbound(caller):
        return
    interaction = "c" if row is None else "u"
    rule = RULES.get(resource_type)
    if rule and interaction in rule.desk and caller.runs_desk:
        return
    if row is None and not may_write_some(caller, resource_type, interaction):
        raise NotFound(f"There is no {resource_type}/{fhir_id}.")  # such as an update of an unknown Patient
    check_write(resource_type, caller, fields, row)


def may_take_over(caller: Caller, slots: Collection[int]) -> bool:
    """True if a visit that the caller books may take these Slots (primary keys) although they are busy: software and
    administrators make a Slot busy before they send its Appointment. It decides nothing about Slots of other visits.
    """
    return is_unbound(caller) and referable_keys(caller, Slot, slots) == set(slots)


def may_record_visit(caller: Caller) -> None:
    """Raise Forbidden unless the caller may create an Appointment that is not booked: software and administrators."""
    if not is_unbound(caller):
        raise Forbidden(_("Name a free time that is still to come: other visits are recorded by the clinic."))


def patients_of(caller: Caller) -> list[Patient]:
    """The patients the caller may write for: the one in an app's context, else the caller and those they care for."""
    return [each for each in caller.patients.values() if caller.context_patient in (None, each.pk)]


def may_change_details(caller: Caller, patient: Patient, columns: Collection[str]) -> None:
    """Raise Forbidden unless the caller may change these columns of the patient's record on a page.

    The front desk may change all of them, a patient those of their own record, and carers those of a record that has
    no account of its own; whoever else acts for the patient, only the needs.
    """
    may_all = is_unbound(caller) or caller.runs_desk
    if may_all or (is_own_record(caller, patient) and FLAGS.isdisjoint(columns)):
        return
    if not NEEDS.issuperset(columns):
        raise Forbidden(_("Only the clinic can change this. Please contact the clinic."))
    require_acts_for(caller, patient)


def may_adopt_records(caller: Caller, own: Patient) -> None:
    """Raise Forbidden unless `own` is the record of the caller's account: only that takes over records of a guest."""
    if caller.client or caller.user is None or own.user_id != caller.user.pk:
        raise Forbidden(_("Only the clinic can merge records."))


def is_own_record(caller: Caller, patient: Patient) -> bool:
    """True if the record is the caller's own, or has no account of its own and is confided to the caller."""
    own = caller.user.pk if caller.user else None
    return patient.pk in caller.confided and patient.user_id in (None, own)


def require_acts_for(caller: Caller, patient: Patient) -> None:
    """Raise Forbidden unless the caller can add to the patient's record: the patient, carers, staff who see the
    patient, and a guest on the way to a booking for them.
    """
    if is_unbound(caller) or patient.pk in caller.patients:
        return
    if caller.worker.is_staff and visible(Patient, caller.worker).filter(pk=patient.pk).exists():
        return
    named = visible(Appointment, caller).filter(patient=patient, status=Appointment.Status.PENDING)
    if caller.user is None and caller.guest and named.exists():
        return
    raise Forbidden(_("You can add or change only records about yourself and people you care for."))


def may_decide_details(caller: Caller) -> bool:
    """True if the caller changes names and birth dates that the clinic has verified: the front desk."""
    return is_unbound(caller) or caller.runs_desk


def may_verify_coverage(caller: Caller) -> bool:
    """True if the caller may check patients' coverage: the front desk, billing, administrators and software."""
    return is_unbound(caller) or bool(caller.bounds(Action.COVERAGE))


def may_refer_to_all(caller: Caller, kind: str) -> bool:
    """True if the caller may refer to every resource of the type, as everyone may to those that describe the clinic."""
    return sees_all(caller, kind) or (kind in PUBLIC and kind not in PATIENT)


def referable_keys(caller: Caller, model: type[Resource], keys: Collection[int]) -> set[int]:
    """The primary keys, of those given, that the caller may refer to. One statement at most.

    These are rows the caller may see or change, their own record, and the schedules of the clinic.
    """
    if may_refer_to_all(caller, model.RESOURCE_TYPE):
        return set(keys)
    there = Q(pk__in=visible(model, caller, "rsu").values("pk"))
    if model.DESCRIBES_CLINIC:
        there |= Q(**{PATIENT[model.RESOURCE_TYPE]: None})
    elif model is Patient:
        there |= Q(pk__in=[each.pk for each in patients_of(caller)])
    return set(model._default_manager.filter(there, pk__in=keys).values_list("pk", flat=True))


def answerable_actors(caller: Caller, appointment: Appointment, actors: Collection[str]) -> set[str]:
    """The participants of a visit, as FHIR references, for whom the caller may answer.

    Everyone may answer for themselves, a patient also for those they care for, staff who run the calendar for its
    people and rooms, and software for anyone.
    """
    if is_unbound(caller):
        return set(actors)
    own = {each.reference for each in caller.patients.values()} & set(actors)
    clinics = {each for each in actors if not each.startswith("Patient/")}
    if not clinics or not staff_appointments(caller.worker).filter(pk=appointment.pk).exists():
        return own
    if caller.runs_clinic or appointment.site_id in caller.desk_sites:
        return own | clinics
    themselves = _own_references(caller)
    return own | {each for each in clinics if each in themselves or not each.startswith("Practitioner")}


def require_may_answer(caller: Caller, appointment: Appointment, actor: str) -> None:
    """Raise Forbidden unless the caller may answer for this participant."""
    if not answerable_actors(caller, appointment, [actor]):
        raise Forbidden(_("You can answer only for yourself and for people whose calendar you manage."))


def _own_references(caller: Caller) -> set[str]:
    """FHIR references of the caller's Practitioner and its PractitionerRoles."""
    if caller.practitioner is None:
        return set()
    return {caller.practitioner.reference, *(role.reference for role in caller.practitioner.roles.all())}
