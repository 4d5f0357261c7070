"""Which resource is meant where a search says it and no id: https://hl7.org/fhir/R4/http.html#ccreate and below.

Everything is looked for before anything is written.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from clinic.fhir.resources import References
from clinic.models import Resource
from scheduling.errors import Invalid, NotFound, SchedulingError
from scheduling.interactions.entries import Entry, Problem, renamed

CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?.+", re.DOTALL)
# The first rows, of a type, that a search finds: two are enough to know that it is not only one. Raises Invalid.
Find = Callable[[str, str], Sequence[Resource]]


class SeveralMatch(SchedulingError):
    """A condition that should single out one resource fits several."""

    code = "multiple-matches"
    message = "Several resources match the condition."


def finds_nothing(kind: str, query: str) -> Sequence[Resource]:
    """For a door without searches."""
    raise Invalid(f"{query!r}: conditions are not supported here.")


@dataclass
class Matched:
    """The entries with the ids that their conditions found.

    `there` are those that need not be created, with the row that is there; `absent` those that would delete nothing.
    """

    entries: list[Entry] = field(default_factory=list)
    there: list[tuple[Entry, Resource]] = field(default_factory=list)
    absent: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def matched(entries: Sequence[Entry], find: Find) -> Matched:
    """Look for what the entries mean, and what their references mean: `Patient?identifier=...`."""
    result = Matched()
    names: dict[str, str] = {}
    for entry in entries:
        try:
            row = _only(find(entry.type, entry.condition.removeprefix("?"))) if entry.condition else None
            if row is not None:
                names[entry.reference] = row.reference
            _place(entry, row, result)
        except SchedulingError as error:
            result.problems.append(Problem(entry.index, entry.reference, error))
    names |= _referred(result, find)
    result.entries = renamed(result.entries, names)
    return result


def _place(entry: Entry, row: Resource | None, result: Matched) -> None:
    """Raises Invalid, NotFound."""
    match entry.interaction, row:
        case "create", Resource():
            result.there.append((entry, row))
        case "create", None:
            result.entries.append(replace(entry, condition=""))  # it has been met
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
    """The update of the row that was found."""
    if entry.resource.get("id", row.fhir_id) != row.fhir_id:
        text = f"The condition finds {row.reference}, the resource says {entry.fhir_id!r}."
        raise Invalid(text, expression=f"{entry.type}.id")
    return replace(entry, fhir_id=row.fhir_id, resource={**entry.resource, "id": row.fhir_id})


def _referred(result: Matched, find: Find) -> dict[str, str]:
    """What the conditional references of the entries mean. Entries whose references mean nothing are refused."""
    names: dict[str, str] = {}
    for text in _conditional(entry for entry in result.entries):
        kind, _, query = text.partition("?")
        try:
            row = _only(find(kind, query))
            if row is None:
                raise NotFound(f"{text!r} finds nothing.")
            names[text] = row.reference
        except SchedulingError as error:
            naming = [entry for entry in result.entries if text in References.collect([entry.resource])]
            result.problems += [Problem(entry.index, entry.reference, error) for entry in naming]
    return names


def _conditional(entries: Iterable[Entry]) -> list[str]:
    return sorted(filter(CONDITIONAL.fullmatch, References.collect(entry.resource for entry in entries)))


def _only(found: Sequence[Resource]) -> Resource | None:
    if len(found) > 1:
        raise SeveralMatch
    return found[0] if found else None
