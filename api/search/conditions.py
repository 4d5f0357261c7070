"""Conditions on rows, from `name=value` in a query: https://hl7.org/fhir/R4/search.html#modifiers

Chains, _has and the paths of _filter look only at rows that the caller may see, so a hidden row cannot be found out by
what refers to it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Model, Q, QuerySet

from api.search.filters import Both, Filter, Not, Step, Test, read_filter
from api.search.grammar import Misplaced
from api.search.kinds import Parameter, any_of, nothing
from api.search.parameters import parameters_of
from api.search.participants import redacted
from api.search.references import Reference, Short
from api.search.tokens import read_flag
from api.search.values import split_values
from clinic.fhir.resources import RESOURCES
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue

HAS, FILTER, LIST = "_has", "_filter", "_list"
ANYWHERE = (HAS, FILTER, LIST)
MAX_HOPS = 4
PRESENT = "pr"


class Unknown(Invalid):
    """Refusal: there is no search parameter of this name."""

    def __init__(self, name: str, kind: str) -> None:
        text = f"{name!r} is no search parameter of {kind} here. Known are {', '.join(parameters_of(kind))}."
        super().__init__(issues=[Issue("not-supported", text)])


def condition(kind: str, name: str, value: str, caller: Caller, base: str) -> Q:
    """Return the condition of a parameter. Raises Unknown, or Invalid for an unreadable value."""
    return _ConditionReader(caller, base).condition(kind, name, value)


@dataclass(frozen=True)
class _ConditionReader:
    """Reader of conditions: the caller, the base URL, and how many references may still be followed."""

    caller: Caller
    base: str
    hops: int = MAX_HOPS

    def condition(self, kind: str, name: str, value: str) -> Q:
        if name.startswith(f"{HAS}:"):
            return self._has(kind, name, value)
        if name == FILTER:
            return self._filtered(kind, read_filter(value))
        if name == LIST:
            return nothing()  # no List is kept here, and so nothing is on one
        head, dot, rest = name.partition(".")
        head, _, modifier = head.partition(":")
        parameter = self._parameter(kind, head)
        if isinstance(parameter, Short):
            _check_modifier(parameter, modifier)
            return self._short(kind, parameter, rest or "_id", value)
        if dot:
            return self._chained(parameter, modifier, rest, value)
        return _matching(RESOURCES[kind].model, parameter, modifier, value, self.base)

    def _parameter(self, kind: str, name: str) -> Parameter:
        parameter = parameters_of(kind).get(name)
        if parameter is None:
            raise Unknown(name, kind)
        return redacted(parameter, kind, self.caller)

    def _chained(self, parameter: Parameter, kind: str, rest: str, value: str) -> Q:
        """Return the condition of `patient:Patient.identifier=...`; without a type, any target type counts."""
        if not isinstance(parameter, Reference):
            raise Invalid(f"{parameter.name} is no reference: nothing can be chained to it.")
        if kind and not parameter.may_be(kind):
            raise Invalid(f"{parameter.name} refers to no {kind}.")
        kinds = [kind] if kind else list(_with_parameter(parameter.types, rest))
        if not kinds:
            raise Invalid(f"{rest!r} is no search parameter of what {parameter.name} refers to.")
        return any_of(parameter.refers_to(each, self._rows(each, rest, value), self.base) for each in kinds)

    def _has(self, kind: str, name: str, value: str) -> Q:
        """Return the condition of `_has:Appointment:patient:status=booked`."""
        _, source, through, rest = [*name.split(":", 3), "", "", ""][:4]
        parameter = parameters_of(source).get(through) if source in RESOURCES else None
        if not isinstance(parameter, Reference) or not parameter.can_be_reversed or kind not in parameter.types:
            raise Invalid(f"{name!r} is not {HAS}:Type:reference:parameter, by which a {kind} is referred to.")
        return parameter.referred_by(kind, self._rows(source, rest, value), self.base)

    def _short(self, kind: str, parameter: Short, rest: str, value: str) -> Q:
        if rest == "_id":
            value = ",".join(each.rpartition("/")[2] for each in split_values(value))
        return any_of(self.condition(kind, f"{chain}{rest}", value) for chain in parameter.chains)

    def _rows(self, kind: str, name: str, value: str) -> "QuerySet[Any]":
        """Return the visible rows of this type that the rest of a chain matches."""
        return self._visible(kind, lambda further: further.condition(kind, name, value))

    def _visible(self, kind: str, condition: Callable[["_ConditionReader"], Q]) -> "QuerySet[Any]":
        """Return the visible rows one reference further on."""
        if not self.hops:
            raise Invalid(f"A chain follows {MAX_HOPS} references at most.")
        found = condition(replace(self, hops=self.hops - 1))
        return access.visible(RESOURCES[kind].model, self.caller).filter(found, deleted_at=None)

    def _filtered(self, kind: str, parsed: Filter) -> Q:
        match parsed:
            case Both(left, "and", right):
                return self._filtered(kind, left) & self._filtered(kind, right)
            case Both(left, _, right):
                return self._filtered(kind, left) | self._filtered(kind, right)
            case Not(inner):
                return ~_rows_with(RESOURCES[kind].model, self._filtered(kind, inner))
            case Test(path, _, _, place):
                try:
                    return self._tested(kind, path, parsed)
                except Misplaced:
                    raise
                except Invalid as error:
                    raise Misplaced(place, error.issues[0].text) from None

    def _tested(self, kind: str, path: Sequence[Step], test: Test) -> Q:
        """Return the condition at the end of a path; the steps before it are references."""
        step, *rest = path
        parameter = self._parameter(kind, step.name)
        if not rest:
            return self._compared(kind, parameter, test)
        if not isinstance(parameter, Reference) or isinstance(parameter, Short):
            raise Invalid(f"{step.name} is no reference that can be followed here.")
        kinds = list(_with_parameter(parameter.types, rest[0].name))
        if not kinds:
            raise Invalid(f"{rest[0].name!r} is no search parameter of what {step.name} refers to.")
        return any_of(parameter.refers_to(each, self._beyond(each, step, rest, test), self.base) for each in kinds)

    def _beyond(self, kind: str, step: Step, rest: Sequence[Step], test: Test) -> "QuerySet[Any]":
        def condition(further: _ConditionReader) -> Q:
            within = further._filtered(kind, step.within) if step.within else Q()
            return within & further._tested(kind, rest, test)

        return self._visible(kind, condition)

    def _compared(self, kind: str, parameter: Parameter, test: Test) -> Q:
        model, value = RESOURCES[kind].model, test.value.replace("\\", "\\\\")
        if test.operator == PRESENT:
            present = _rows_with(model, parameter.present())
            return present if read_flag(value) else ~present
        if test.operator not in parameter.OPERATORS:
            known = ", ".join((*parameter.OPERATORS, PRESENT))
            raise Invalid(f"{test.operator} cannot be asked of {parameter.name} here, but {known}.")
        if isinstance(parameter, Short):
            return self._short(kind, parameter, "_id", value)
        if test.operator == "ne" and "ne" not in parameter.COMPARATORS:
            return parameter.present() & ~_rows_with(model, parameter.compared("eq", value, self.base))
        return parameter.compared(test.operator, value, self.base)


def _with_parameter(kinds: Iterable[str], name: str) -> Iterator[str]:
    """Return the types that have the parameter with which a chain goes on."""
    first = name.partition(".")[0].partition(":")[0]
    return (kind for kind in kinds if kind in RESOURCES and (first in ANYWHERE or first in parameters_of(kind)))


def _matching(model: type[Model], parameter: Parameter, modifier: str, value: str, base: str) -> Q:
    """Return the condition for any of the values; with `:not` none of them, with `:missing` no value or any."""
    _check_modifier(parameter, modifier)
    if modifier == "missing":
        present = _rows_with(model, parameter.present())
        return ~present if read_flag(value) else present
    applied = "" if modifier == "not" else modifier
    found = any_of(parameter.condition(each, applied, base) for each in split_values(value))
    return ~_rows_with(model, found) if modifier == "not" else found


def _check_modifier(parameter: Parameter, modifier: str) -> None:
    """Raise Invalid if the modifier `type` is not the name of a type."""
    typed = isinstance(parameter, Reference) and parameter.may_be(modifier)
    if modifier == "type" or (modifier and not typed and modifier not in parameter.MODIFIERS):
        known = ", ".join(parameter.MODIFIERS) or "none"
        raise Invalid(f":{modifier} is not supported here. Supported: {known}.")


def _rows_with(model: type[Model], found: Q) -> Q:
    """Return the condition in a form that can be negated although its columns may be NULL."""
    return Q(pk__in=model._default_manager.filter(found).values("pk"))
