"""Conditional interactions, which name a resource by a search: https://hl7.org/fhir/R4/http.html#ccreate and below.

All searches run before anything is written.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from clinic.fhir.resources import References
from clinic.models import Resource
from scheduling.errors import Invalid, NotFound, SchedulingError
from scheduling.interactions.entries import Entry, EntryProblem, renamed

CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?.+", re.DOTALL)
# Returns the first rows of a type that a search finds; two show that the match is not unique. Raises Invalid.
Find = Callable[[str, str], Sequence[Resource]]


class SeveralMatch(SchedulingError):
    """A condition for a single resource matches several."""

    code = "multiple-matches"
    message = "Several resources match the condition."


def finds_nothing(kind: str, query: str) -> Sequence[Resource]:
    """The `find` of callers that support no searches: raises Invalid."""
    raise Invalid(f"{query!r}: conditions are not supported here.")


@dataclass
class ConditionResult:
    """The entries with the ids that their conditions found.

    `existing` are creates of resources that exist, with their row; `absent` are deletes that match nothing.
    """

    entries: list[Entry] = field(default_factory=list)
    existing: list[tuple[Entry, Resource]] = field(default_factory=list)
    absent: list[Entry] = field(default_factory=list)
    problems: list[EntryProblem] = field(default_factory=list)


def resolve_conditions(entries: Sequence[Entry], find: Find) -> ConditionResult:
    """Resolve the conditions of the entries and their conditional references (`Patient?identifier=...`)."""
    result = ConditionResult()
    names: dict[str, str] = {}
    for entry in entries:
        try:
            row = _single(find(entry.type, entry.condition.removeprefix("?"))) if entry.condition else None
            if row is not None:
                names[entry.reference] = row.reference
            _place(entry, row, result)
        except SchedulingError as error:
            result.problems.append(EntryProblem(entry.index, entry.reference, error))
    names |= _referred(result, find)
    result.entries = renamed(result.entries, names)
    return result


def _place(entry: Entry, row: Resource | None, result: ConditionResult) -> None:
    """Add the entry to the part of the result it belongs to. Raises Invalid, NotFound."""
    match entry.interaction, row:
        case "create", Resource():
            result.existing.append((entry, row))
        case "create", None:
            result.entries.append(replace(entry, condition=""))  # the condition is fulfilled
        case "update", Resource():
            result.entries.append(_as(entry, row))
        case "update", None if entry.condition:
            resource = {**entry.resource, "id": entry.fhir_id}
            result.entries.append(replace(entry, interaction="create", resource=resource))
        case _, Resource():
            result.entries.append(replace(entry, fhir_id=row.fhir_id))
        case "patch", None if entry.condition:
            raise NotFound(f"There is no {entry.reference}.")
        case "delete", None if entry.condition:
            result.absent.append(entry)
        case _:
            result.entries.append(entry)


def _as(entry: Entry, row: Resource) -> Entry:
    """The entry as an update of this row."""
    if entry.resource.get("id", row.fhir_id) != row.fhir_id:
        text = f"The condition finds {row.reference}, the resource says {entry.fhir_id!r}."
        raise Invalid(text, expression=f"{entry.type}.id")
    return replace(entry, fhir_id=row.fhir_id, resource={**entry.resource, "id": row.fhir_id})


def _referred(result: ConditionResult, find: Find) -> dict[str, str]:
    """The references that the conditional references stand for. Entries whose references match nothing become
    problems.
    """
    names: dict[str, str] = {}
    for text in _conditional(entry for entry in result.entries):
        kind, _, query = text.partition("?")
        try:
            row = _single(find(kind, query))
            if row is None:
                raise NotFound(f"{text!r} finds nothing.")
            names[text] = row.reference
        except SchedulingError as error:
            naming = [entry for entry in result.entries if text in References.collect([entry.resource])]
            result.problems += [EntryProblem(entry.index, entry.reference, error) for entry in naming]
    return names


def _conditional(entries: Iterable[Entry]) -> list[str]:
    return sorted(filter(CONDITIONAL.fullmatch, References.collect(entry.resource for entry in entries)))


def _single(found: Sequence[Resource]) -> Resource | None:
    if len(found) > 1:
        raise SeveralMatch
    return found[0] if found else None
