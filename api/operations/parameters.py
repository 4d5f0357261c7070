"""Parameters of an operation, in each form of a request: https://hl7.org/fhir/R4/operations.html#request

A query string, a Parameters resource, a plain JSON object keyed by parameter name, or the one resource that the
operation is about. A refusal names all problems at once, each with its place: `Parameters.schedule[1]`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar, cast

from rest_framework.request import Request

from api.fhir_view import body_of
from clinic.country import clinic_zone
from clinic.fhir.datatypes import Json, read_date_time
from clinic.fhir.issues import InvalidElement
from clinic.fhir.validation import validate
from scheduling.availability import EARLIEST, LATEST
from scheduling.errors import Invalid, Issue, NotFound, RuleBroken, SchedulingError

T = TypeVar("T")
Reader = Callable[[Any], T]

OF_EVERY_REQUEST = frozenset({"_format", "_pretty"})
REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
# https://hl7.org/fhir/R4/datatypes.html#dateTime
DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


class Inputs:
    """The values of an operation's parameters. `finish` raises an error with all problems found so far."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = (), issues: Iterable[Issue] = ()) -> None:
        self.issues = list(issues)
        self._values: dict[str, list[Any]] = defaultdict(list)
        self.add(pairs)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._values)

    def has(self, name: str) -> bool:
        return name in self._values

    def count(self, name: str) -> int:
        return len(self._values.get(name, ()))

    def only(self, known: Collection[str]) -> None:
        """Add an issue for each name that is not known."""
        for name in self._values:
            if name not in known:
                self.refuse(f"Unknown input parameter '{name[:64]}'", name[:64])

    def rename(self, names: Mapping[str, str]) -> list[tuple[str, str]]:
        """Rename parameters from their aliases; return the aliases that were used."""
        found = [(name, meant) for name, meant in names.items() if name in self._values]
        for name, meant in found:
            self._values[meant] += self._values.pop(name)
        return found

    def one(self, name: str, read: Reader[T]) -> T | None:
        """Return the value of a parameter that may be given once; None without it."""
        values = self._values.get(name, [])
        if len(values) > 1:
            self.refuse(f"Expected 1 value(s) for input parameter {name}, but {len(values)} provided", name)
        return self._read(read, values[0], f"Parameters.{name}") if len(values) == 1 else None

    def required(self, name: str, read: Reader[T]) -> T:
        """Return the value of a parameter that must be given once. Without it `finish` raises."""
        self._require(name)
        return cast(T, self.one(name, read))

    def every(self, name: str, read: Reader[T], *, at_least_one: bool = False) -> list[T]:
        """Return the values of a parameter that may be repeated."""
        if at_least_one:
            self._require(name)
        values = self._values.get(name, [])
        found = [self._read(read, value, f"Parameters.{name}[{n}]") for n, value in enumerate(values)]
        return cast(list[T], found)

    def refuse(self, text: str, name: str, code: str = "invalid") -> None:
        self.issues.append(Issue(code, text, f"Parameters.{name}"))

    def add(self, pairs: Iterable[tuple[str, Any]]) -> None:
        for name, value in list(pairs):
            self._values[name].append(value)

    def pairs(self, without: Collection[str] = ()) -> list[tuple[str, Any]]:
        """Return the names and values as they were sent."""
        return [(name, each) for name, values in self._values.items() if name not in without for each in values]

    def as_query(self, without: Collection[str] = ()) -> list[tuple[str, str]] | None:
        """Return the parameters for a query string; None if a value does not fit into one."""
        pairs = self.pairs(without)
        texts = [(name, each.get("reference") if isinstance(each, dict) else each) for name, each in pairs]
        return [(name, str(each)) for name, each in texts] if all(each is not None for _, each in texts) else None

    def finish(self) -> None:
        if self.issues:
            raise refusal(self.issues)

    def _require(self, name: str) -> None:
        if not self.has(name):
            text = f"Expected at least 1 value(s) for required input parameter '{name}'"
            self.refuse(text, name, "required")

    def _read(self, read: Reader[T], value: Any, path: str) -> T | None:
        try:
            return read(value)
        except InvalidElement as error:
            found = error.issue(path)
            self.issues.append(Issue(found.code, found.text, found.expression))
            return None


def inputs_of(request: Request, known: Collection[str], resource: str = "") -> Inputs:
    """Return the inputs of a request; a name that is not `known` is an issue.

    `resource` is the type whose bare resource may be the body: it is the parameter of that name, in lower case.
    """
    inputs = read_inputs(request, resource)
    inputs.only(known)
    return inputs


def read_inputs(request: Request, resource: str = "") -> Inputs:
    """Return the inputs of a request, whatever their names. A list is a repeated parameter."""
    query = request.query_params
    pairs = [(name, value) for name in query if name not in OF_EVERY_REQUEST for value in query.getlist(name)]
    issues: list[Issue] = []
    if request.method == "POST":
        pairs += _in_body(body_of(request), resource, issues)
    return Inputs(pairs, issues)


def refusal(issues: Collection[Issue]) -> SchedulingError:
    """Return the error for all these issues together."""
    codes = {issue.code for issue in issues}
    if codes <= {"not-found"}:
        return NotFound(issues=list(issues))
    if codes <= {"not-found", "business-rule"}:
        return RuleBroken(issues=list(issues))
    return Invalid(issues=list(issues))


# Bodies


def _in_body(body: Json, resource: str, issues: list[Issue]) -> list[tuple[str, Any]]:
    kind = body.get("resourceType")
    if kind == "Parameters":
        return _in_parameters(body.get("parameter", []), issues)
    if kind is not None and kind == resource:
        return [(resource.lower(), body)]
    if kind is not None:
        expected = f"Parameters or {resource}" if resource else "Parameters"
        issues.append(Issue("structure", f"Expected {expected}, but got {str(kind)[:64]}", "Parameters"))
        return []
    return [(name, value) for name, values in body.items() for value in (values if _is_list(values) else [values])]


def _in_parameters(parameters: Any, issues: list[Issue]) -> list[tuple[str, Any]]:
    """Return the names and values in a Parameters resource: https://hl7.org/fhir/R4/parameters.html"""
    if not _is_list(parameters):
        issues.append(Issue("structure", "Parameters.parameter is a list.", "Parameters.parameter"))
        return []
    pairs = []
    for n, parameter in enumerate(parameters):
        values = _values_of(parameter) if isinstance(parameter, dict) and isinstance(parameter.get("name"), str) else []
        if len(values) == 1:
            pairs += [(parameter["name"], value) for value in (values[0] if _is_list(values[0]) else values)]
        else:
            text = "A parameter has a name and one value or resource."
            issues.append(Issue("structure", text, f"Parameters.parameter[{n}]"))
    return pairs


def _values_of(parameter: Json) -> list[Any]:
    return [value for key, value in parameter.items() if key == "resource" or key.startswith("value")]


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


# Types


def date_time(value: Any) -> datetime:
    """Read a dateTime; a date is its midnight in the clinic's zone."""
    return _read_date_time(value, end=False)


def end_date_time(value: Any) -> datetime:
    """Read a dateTime as an end: a date, month or year counts whole."""
    return _read_date_time(value, end=True)


def _read_date_time(value: Any, *, end: bool) -> datetime:
    # An unescaped "+" arrives as a space.
    text = value.replace(" ", "+") if isinstance(value, str) else ""
    if not DATE.fullmatch(text) and not INSTANT.fullmatch(text):
        raise InvalidElement("Invalid time value")
    return _in_range(read_date_time(text, clinic_zone() if DATE.fullmatch(text) else UTC, end=end))


def moment(value: Any) -> datetime:
    """Read an instant: https://hl7.org/fhir/R4/datatypes.html#instant"""
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise InvalidElement("Not an instant with an offset from UTC, such as 2026-01-05T14:00:00Z")
    return _in_range(read_date_time(value))


def boolean(value: Any) -> bool:
    if value not in (True, False, "true", "false"):
        raise InvalidElement(f"{str(value)[:64]!r} is neither true nor false.")
    return value in (True, "true")


def whole_number(name: str, least: int, most: int) -> Reader[int]:
    def read(value: Any) -> int:
        number = value if type(value) is int else None
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            number = int(value)
        if number is None:
            raise InvalidElement(f"Invalid value '{str(value)[:64]}' provided for integer parameter '{name}'")
        if number < least:
            raise InvalidElement(f"Invalid {name}, minimum required is {least}")
        if number > most:
            raise InvalidElement(f"Invalid {name}, maximum allowed is {most}")
        return number

    return read


def reference_to(kind: str, base: str, called: str) -> Reader[str]:
    """Return the reader of the id in a reference: relative, absolute or versioned, bare text or a Reference."""

    def read(value: Any) -> str:
        text = value.get("reference") if isinstance(value, dict) else value
        match = REFERENCE.fullmatch(text.removeprefix(base)) if isinstance(text, str) else None
        if match is None or match[1] != kind:
            raise InvalidElement(f"Invalid {called}")
        return match[2]

    return read


def any_of(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return the reader of several values with commas between them."""

    def read_each(value: Any) -> tuple[T, ...]:
        parts = value.split(",") if isinstance(value, str) else [value]
        return tuple(dict.fromkeys(read(part) for part in parts))

    return read_each


def concept(value: Any) -> Json:
    """Read a CodeableConcept: https://hl7.org/fhir/R4/datatypes.html#CodeableConcept"""
    if not isinstance(value, dict) or not value:
        raise InvalidElement("Not a CodeableConcept", "structure")
    for issue in validate(dict(value), "CodeableConcept"):
        raise InvalidElement(issue.text, issue.code, issue.expression.removeprefix("CodeableConcept"))
    return value


def resource(kind: str) -> Reader[Json]:
    def read(value: Any) -> Json:
        if not isinstance(value, dict) or value.get("resourceType") != kind:
            raise InvalidElement(f"Not a resource of type {kind}", "structure")
        return value

    return read


def _in_range(found: datetime) -> datetime:
    return found if EARLIEST <= found < LATEST else _out_of_range()


def _out_of_range() -> NoReturn:
    raise InvalidElement(f"Times lie between the years {EARLIEST.year} and {LATEST.year}.")
