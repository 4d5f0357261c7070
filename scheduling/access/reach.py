"""How far a token reaches: its scopes say on which rows of a type software may do what.

A person's app does what the person may and what was granted to it; a `patient/` scope only with what is of the patient
in context, and a scope with search parameters only with what they find.
"""

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from scheduling.access.callers import Caller
from scheduling.access.scopes import INTERACTIONS, Scope
from scheduling.errors import Forbidden

M = TypeVar("M", bound=Model)

NOTHING = Q(pk__in=[])

# What describes the clinic and names no patient: open to everyone who is signed in.
PUBLIC = frozenset(
    {
        "Organization",
        "Location",
        "Practitioner",
        "PractitionerRole",
        "Device",
        "HealthcareService",
        "Schedule",
        "Questionnaire",
    }
)
# The column that says which patient a row is of: https://hl7.org/fhir/R4/compartmentdefinition-patient.html
COMPARTMENT = {
    "Patient": "pk",
    "Appointment": "patient",
    "AppointmentResponse": "appointment__patient",
    "CareTeam": "patient",
    "Communication": "patient",
    "Coverage": "beneficiary",
    "Encounter": "patient",
    "QuestionnaireResponse": "patient",
    "RelatedPerson": "patient",
    "Slot": "appointment__patient",
}


def has_scope(caller: Caller, kind: str, may: str) -> bool:
    """True if one of these interactions (of c r u d s) was granted on some resource of the type."""
    return any(scope.is_for(kind, may) for scope in caller.grants)


def reaches_all(caller: Caller, kind: str, may: str) -> bool:
    """True if one of the interactions was granted on every resource of the type; so it is who came without a token."""
    return not caller.client or any(
        scope.is_for(kind, may) and scope.level != "patient" and not scope.constraint for scope in caller.grants
    )


def within_scopes(rows: QuerySet[M], caller: Caller, may: str) -> QuerySet[M]:
    """Of these rows those on which one of the interactions was granted; all for who came without a token."""
    granted = _granted(rows.model, caller, may)
    return rows if granted is None else rows.filter(granted)


def require_within_scopes(model: type[Model], keys: Collection[int], caller: Caller, may: str) -> None:
    """Raise Forbidden unless the interaction was granted on each of these rows, as they are written now."""
    granted = _granted(model, caller, may)
    if granted is None:
        return
    if model._default_manager.filter(granted, pk__in=keys).count() < len(set(keys)):
        raise Forbidden(f"The token's scopes do not let it {INTERACTIONS[may]} this {_kind(model)}.")


def _granted(model: type[Model], caller: Caller, may: str) -> Q | None:
    """Which rows; None for every one."""
    if not caller.client:
        return None
    reaches = [_reach(scope, model, caller) for scope in caller.grants if scope.is_for(_kind(model), may)]
    return reduce(or_, reaches, NOTHING) if all(reaches) else None  # one that is empty is for every row


def _reach(scope: Scope, model: type[Model], caller: Caller) -> Q:
    """The rows of a type that a scope is for; an empty condition for every row."""
    reach = _compartment(_kind(model), caller) if scope.level == "patient" else Q()
    if not scope.constraint:
        return reach
    condition = caller.condition_of(caller, _kind(model), scope.constraint)
    if condition is None:
        return NOTHING
    return reach & Q(pk__in=model._default_manager.filter(condition).values("pk"))


def _compartment(kind: str, caller: Caller) -> Q:
    """What is of the patient in context, and what is nobody's."""
    if caller.in_context is None:
        return NOTHING
    if kind == "Schedule":
        return Q(bookable__patient=None) | Q(bookable__patient=caller.in_context)
    if kind in PUBLIC:
        return Q()
    if kind not in COMPARTMENT:
        return NOTHING
    own = Q(**{COMPARTMENT[kind]: caller.in_context})
    if kind == "Appointment":
        own |= Q(patient=None, held_by=caller.user)  # their own hold that names nobody yet
    return own


def _kind(model: type[Model]) -> str:
    return str(model.RESOURCE_TYPE)  # type: ignore[attr-defined]
