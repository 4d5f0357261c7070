"""The rules of each type of resource for people: which rows they may read, and what they may create and update.

Software is limited by its scopes alone, and administrators may read and write all. Without a rule, a type that
describes the clinic may be read by everyone who is signed in, and is written by administrators and software only.
Every other type must have a rule.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from clinic.fhir import codes
from clinic.models import Appointment, AppointmentPatient, Patient, Resource, Schedule, Slot
from scheduling.access.callers import Caller, calendars
from scheduling.access.compartments import PATIENT, patient_column, patient_of
from scheduling.access.redaction import IDENTIFYING_TYPES
from scheduling.access.roles import Action
from scheduling.errors import Forbidden, Issue

Check = Callable[[Caller, Mapping[str, Any], Any], None]

ALL = ~Q(pk__in=[])  # in contrast to Q(), it counts beside other conditions
# The statuses of a hold and of a released hold.
HELD = (Appointment.Status.PENDING, Appointment.Status.CANCELLED)
# The elements of their own record that patients may change, and the element of each column; their needs are extensions.
CONTACT = frozenset({"telecom", "address", "communication", "contact", "needs"})
ELEMENTS = {
    "family": "name",
    "given": "name",
    "prefix": "name",
    "birth_date": "birthDate",
    "phone": "telecom",
    "email": "telecom",
    "language": "communication",
    "returning": "extension",
    "interpreter_required": "needs",
    "interpreter_language": "needs",
    "needs": "needs",
    "other_needs": "needs",
}

# The columns with a patient's needs, which carers and guests write too.
NEED_EXTENSIONS = frozenset({codes.DISABILITY, codes.INTERPRETER_REQUIRED, codes.INTERPRETER_LANGUAGE})
NEEDS = frozenset({*(column for column, element in ELEMENTS.items() if element == "needs"), "needs_asked"})
# The columns of a patient's record that only staff see and write.
FLAGS = frozenset({"barred_online", "barred_reason", "vip"})


@dataclass(frozen=True, kw_only=True)
class ResourceRule:
    """The rule of a type of resource for people.

    `read` is the condition for the rows that a signed-in person may read. `desk`, `practitioner` and `patient` are the
    interactions (c, u) allowed to each role. `check` raises Forbidden unless a practitioner or patient may write these
    columns to the row, or to a new row (None); without it, the row must be of one of their patients before and after.
    """

    read: Callable[[Caller], Q]
    desk: str = ""
    practitioner: str = ""
    patient: str = ""
    check: Check | None = None


def _own_schedules(caller: Caller) -> Q:
    """The schedules that are not a patient's, and those of the caller's patients; for the front desk, all."""
    own = Q(bookable__patient=None)
    if caller.runs_desk:
        return Q()
    return own | Q(bookable__patient__in=caller.patients)


def _own_visits(caller: Caller, prefix: str = "") -> Q:
    """Condition for visits of the caller's patients; `prefix` leads to the visit, such as `appointment__`."""
    own = Q(**{f"{prefix}patient__in": caller.patients})
    return own | Q(**{f"{prefix}pk__in": caller.visits_with_others}) if caller.visits_with_others else own


def _own_appointments(caller: Caller) -> Q:
    """Condition for visits and holds: the caller's, those of the caller's patients, and those worked with."""
    own = Q(held_by_guest=caller.guest_digest) if caller.guest else Q(pk__in=[])
    if caller.visit:
        own |= Q(fhir_id=caller.visit)
        if caller.visit_series is not None and caller.visit_patient:
            own |= Q(series=caller.visit_series, patient__fhir_id=caller.visit_patient.removeprefix("Patient/"))
    by_ticket = Q(referral__fhir_id__in=caller.proven_tickets) if caller.proven_tickets else Q(pk__in=[])
    if caller.user is None:
        return own | by_ticket
    own &= Q(status__in=HELD)  # others may have booked in this browser before
    own |= by_ticket
    own |= Q(held_by=caller.user, patient=None)  # a hold without a patient belongs to the caller who made it
    if caller.patients:
        own |= _own_visits(caller)
    if caller.is_staff:
        own |= waits_for(caller)
    return own | works_with(caller)


def waits_for(caller: Caller) -> Q:
    """Condition for entries of the waiting list of services that the caller's calendars offer."""
    own = calendars(caller).filter(Q(offers_all_services=True) | Q(services=OuterRef("service")))
    return Q(Exists(own), status=Appointment.Status.WAITLIST)


def works_with(caller: Caller, action: Action = Action.SEE) -> Q:
    """Condition for visits with which the caller may do this as staff."""
    seen = caller.bounds(action)
    if seen.everywhere:
        return ALL
    work = Q(site__in=seen.sites)
    if seen.practitioners:
        work |= Q(
            Exists(
                Slot.objects.filter(
                    appointment=OuterRef("pk"), bookable__practitioner__in=seen.practitioners, deleted_at=None
                )
            )
        )
    return work


def _own_patients(caller: Caller) -> Q:
    """Condition for patients: the caller's, all for the front desk, and those of a practitioner's visits."""
    return _patients(caller, caller.patients)


def treats(caller: Caller) -> Q:
    """Condition for patients whom the caller sees as staff: never because the record is their own or confided."""
    return _patients(caller, ())


def _confided_patients(caller: Caller) -> Q:
    """Condition for patients that the caller may see, without those who share only their visits with the caller."""
    return _patients(caller, caller.confided)


def _patients(caller: Caller, own_keys: Collection[int]) -> Q:
    own = Q(pk__in=own_keys)
    seen = caller.bounds(Action.SEE)
    if caller.runs_desk or seen.everywhere:
        return Q()  # the front desk must find any patient to book for them
    visits, others = Appointment.objects, AppointmentPatient.objects.filter(patient=OuterRef("pk"))
    if seen.practitioners:
        own |= Q(Exists(visits.filter(patient=OuterRef("pk"), slots__bookable__practitioner__in=seen.practitioners)))
        own |= Q(Exists(others.filter(appointment__slots__bookable__practitioner__in=seen.practitioners)))
    if seen.sites:
        own |= Q(Exists(visits.filter(patient=OuterRef("pk"), site__in=seen.sites)))
        own |= Q(Exists(others.filter(appointment__site__in=seen.sites)))
    return own


def _own_slots(caller: Caller) -> Q:
    """Slots on the calendars of staff, and of the patient's own visits."""
    own = _own_visits(caller, "appointment__")
    seen = caller.bounds(Action.SEE)
    if seen.everywhere:
        return Q()
    if seen.practitioners:
        own |= Q(bookable__practitioner__in=seen.practitioners)
    if seen.sites:
        own |= Q(schedule__site__in=seen.sites)
    return own


def _of_own_patients(kind: str) -> Callable[[Caller], Q]:
    """Condition for rows of patients that the caller may see."""
    name = f"{PATIENT[kind]}__in"
    return lambda caller: Q(**{name: Patient.objects.filter(_confided_patients(caller), deleted_at=None)})


def _carers(caller: Caller) -> Q:
    """Condition for the carers of patients that the caller may see, and for the caller as a carer."""
    return _of_own_patients("RelatedPerson")(caller) | Q(user=caller.user, patient__in=caller.patients)


def _own_referrals(caller: Caller) -> Q:
    """Referrals of patients that the caller may see; for the front desk those for services that its sites give, and
    those of its visits. They may name no patient yet.
    """
    if caller.runs_clinic:
        return Q()
    if not caller.runs_desk:
        return _of_own_patients("ServiceRequest")(caller)
    schedules = Schedule.objects.filter(site__in=caller.desk_sites, active=True, deleted_at=None)
    visits = Appointment.objects.filter(works_with(caller), referral__isnull=False)
    own = Q(patient__in=caller.patients) | Q(pk__in=visits.values("referral"))
    return own | Q(service__in=schedules.values("services")) | Q(Exists(schedules.filter(offers_all_services=True)))


def _of_own_visits(caller: Caller) -> Q:
    """Condition for rows of visits: for the patient, and for staff who work with that visit."""
    return _of_visits(caller, caller.patients)


def _of_confided_visits(caller: Caller) -> Q:
    """Condition as `_of_own_visits`, without patients who share only their visits with the caller."""
    return _of_visits(caller, caller.confided, Action.ANSWERS)


def _of_visits(caller: Caller, own_keys: Collection[int], action: Action = Action.SEE) -> Q:
    own = Q(patient__in=own_keys)
    return own | Q(appointment__in=Appointment.objects.filter(works_with(caller, action))) if caller.is_staff else own


def own_subscriptions(caller: Caller) -> Q:
    """Subscriptions that the same software or the same person created."""
    return Q(client=caller.client, user=caller.user)


def _own_answers(caller: Caller) -> Q:
    """Answers to visits: for staff who work with the visit, and for the patient, except those of other patients and
    carers.
    """
    others = Q(actor__reference__regex=rf"(^|/)({'|'.join(IDENTIFYING_TYPES)})/")
    others &= ~Q(actor__reference__in=list(caller.people))
    answers = _own_visits(caller, "appointment__") & ~others
    return answers | Q(appointment__in=Appointment.objects.filter(works_with(caller))) if caller.is_staff else answers


def _nothing(caller: Caller) -> Q:
    return Q(pk__in=[])


def _check_own_record(caller: Caller, fields: Mapping[str, Any], row: Any) -> None:
    """Raise Forbidden unless the change is of the patient's own record and of contact details only.

    The clinic writes identity.
    """
    _own(caller, row.pk)
    wrong = sorted(_changed(fields, row) - CONTACT)
    if wrong:
        text = _("Only the clinic can change this. Please contact the clinic.")
        raise Forbidden(issues=[Issue("forbidden", text, f"Patient.{name}") for name in wrong])


def _changed(fields: Mapping[str, Any], row: Any) -> set[str]:
    """The names of elements that the write would change."""
    extra = fields["extra"]
    columns = {name for name, value in fields.items() if name != "extra" and getattr(row, name) != value}
    others = {name for name in row.extra.keys() | extra.keys() if _kept(row.extra, name) != _kept(extra, name)}
    return {ELEMENTS.get(name, name) for name in columns} | others


def _kept(extra: Mapping[str, Any], name: str) -> Any:
    """An element that has no column. Extensions with needs are left out: their columns are compared."""
    if name != "extension":
        return extra.get(name)
    return [extension for extension in extra.get(name, ()) if extension.get("url") not in NEED_EXTENSIONS]


def _check_own(kind: str, caller: Caller, fields: Mapping[str, Any], row: Any) -> None:
    """Raise Forbidden unless the row is of one of the caller's patients, before and after the write."""
    if row is not None:
        _own(caller, patient_of(row))
    _own(caller, fields.get(patient_column(kind)) if kind in PATIENT else None)


def _own(caller: Caller, patient: int | None) -> None:
    if patient not in caller.confided:
        raise Forbidden(_("You can add or change only records about yourself and people you care for."))


def _leave_to_use_case(caller: Caller, fields: Mapping[str, Any], row: Any) -> None:
    """Refuse nothing: the use case that writes the row decides."""


RULES: dict[str, ResourceRule] = {
    "Patient": ResourceRule(read=_own_patients, desk="cu", patient="u", check=_check_own_record),
    "RelatedPerson": ResourceRule(read=_carers, desk="cu"),
    "Coverage": ResourceRule(read=_of_own_patients("Coverage"), desk="cu", patient="cu"),
    "CareTeam": ResourceRule(read=_of_own_patients("CareTeam")),
    "ServiceRequest": ResourceRule(read=_own_referrals, desk="cu"),
    "Schedule": ResourceRule(read=_own_schedules),
    "Slot": ResourceRule(read=_own_slots),
    "Appointment": ResourceRule(
        read=_own_appointments, desk="c", practitioner="c", patient="c", check=_leave_to_use_case
    ),
    "AppointmentResponse": ResourceRule(
        read=_own_answers, desk="c", practitioner="c", patient="c", check=_leave_to_use_case
    ),
    "QuestionnaireResponse": ResourceRule(read=_of_confided_visits, patient="cu"),
    "Encounter": ResourceRule(read=_of_confided_visits),
    "Task": ResourceRule(read=_of_own_visits),
    "Subscription": ResourceRule(read=own_subscriptions),
    "Communication": ResourceRule(read=_of_own_visits),
    "AuditEvent": ResourceRule(read=_nothing),
}


def require_rules(models: Iterable[type[Resource]]) -> None:
    """Raise ImproperlyConfigured unless each type has a rule, or describes the clinic and has rows of no patient."""
    closed = {model.RESOURCE_TYPE for model in models if model.PATIENT is not None or not model.DESCRIBES_CLINIC}
    if missing := sorted(closed - RULES.keys()):
        raise ImproperlyConfigured(f"No rule says who may read {', '.join(missing)}.")


def check_write(kind: str, caller: Caller, fields: Mapping[str, Any], row: Resource | None) -> None:
    """Raise Forbidden unless a practitioner or patient may write these columns to the row, or to a new row."""
    rule = RULES.get(kind)
    if rule and rule.check:
        rule.check(caller, fields, row)
    else:
        _check_own(kind, caller, fields, row)
