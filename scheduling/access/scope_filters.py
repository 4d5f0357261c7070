"""Filters that limit an app's access to the rows that its scopes allow.

An app may do what both its person and its scopes allow. A `patient/` scope covers the rows of the patient in context,
and a scope with search parameters covers the rows that they find.
"""

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from scheduling.access.callers import Caller
from scheduling.access.compartments import PATIENT, PUBLIC, of_patient
from scheduling.access.scopes import INTERACTIONS, Scope
from scheduling.errors import Forbidden

M = TypeVar("M", bound=Model)

NOTHING = Q(pk__in=[])


def has_scope(caller: Caller, kind: str, may: str) -> bool:
    """True if one of these interactions (letters of "cruds") is granted on at least some resources of the type."""
    return any(scope.is_for(kind, may) for scope in caller.grants)


def has_all_scopes(caller: Caller) -> bool:
    """True if the caller is software that acts for itself and may do everything with every resource."""
    return caller.is_system and all(has_scope(caller, "*", interaction) for interaction in "cruds")


def has_scope_on_all(caller: Caller, kind: str, may: str) -> bool:
    """True if one of these interactions is granted on every resource of the type; always without a token."""
    return not caller.client or any(
        scope.is_for(kind, may) and scope.level != "patient" and not scope.constraint for scope in caller.grants
    )


def search_constraints(caller: Caller, kind: str) -> list[str]:
    """The search parameters of each scope to search for a type, as far as they can be read.

    An empty text, for everything, if one of the scopes has none, or if there is no such scope.
    """
    found = [scope.constraint for scope in caller.grants if scope.is_for(kind, "s")]
    if not found or not all(found):
        return [""]
    return [each for each in found if caller.condition_of(caller, kind, each) is not None]


def filter_by_scopes(rows: QuerySet[M], caller: Caller, may: str) -> QuerySet[M]:
    """The rows on which one of these interactions is granted; all of them without a token."""
    granted = _granted(rows.model, caller, may)
    return rows if granted is None else rows.filter(granted)


def require_within_scopes(model: type[Model], keys: Collection[int], caller: Caller, may: str) -> None:
    """Raise Forbidden unless the interaction is granted on each of these rows, as they are stored now."""
    granted = _granted(model, caller, may)
    if granted is None:
        return
    if model._default_manager.filter(granted, pk__in=keys).count() < len(set(keys)):
        raise Forbidden(f"The token's scopes do not let it {INTERACTIONS[may]} this {kind_of(model)}.")


def _granted(model: type[Model], caller: Caller, may: str) -> Q | None:
    """The condition for rows on which the interaction is granted; None for every row."""
    if not caller.client:
        return None
    conditions = [_condition(scope, model, caller) for scope in caller.grants if scope.is_for(kind_of(model), may)]
    return reduce(or_, conditions, NOTHING) if all(conditions) else None  # an empty condition allows every row


def _condition(scope: Scope, model: type[Model], caller: Caller) -> Q:
    """The condition for rows of a type that a scope covers; empty for every row."""
    rows = _compartment(kind_of(model), caller) if scope.level == "patient" else Q()
    if not scope.constraint:
        return rows
    condition = caller.condition_of(caller, kind_of(model), scope.constraint)
    if condition is None:
        return NOTHING
    return rows & Q(pk__in=model._default_manager.filter(condition).values("pk"))


def _compartment(kind: str, caller: Caller) -> Q:
    """The condition for rows of the patient in context and rows of no patient."""
    if caller.context_patient is None:
        return NOTHING
    if kind not in PATIENT:
        return Q() if kind in PUBLIC else NOTHING
    own = of_patient(kind, caller.context_patient)
    if kind in PUBLIC:
        own |= Q(**{PATIENT[kind]: None})
    if kind == "Appointment":
        own |= Q(patient=None, held_by=caller.user)  # the person's own hold, which has no patient yet
    return own


def kind_of(model: type[Model]) -> str:
    """The type of resource of a model."""
    return str(model.RESOURCE_TYPE)  # type: ignore[attr-defined]
