"""A resource on its way in: what is left to read, what has been read, and what is wrong with it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement, InvalidResource, ResourceIssue
from clinic.fhir.references import References


@dataclass
class ParametersDraft:
    """Columns of one SchedulingParameters row, for the service that is being read ("self") or for another."""

    service_id: int | Literal["self"]
    fields: dict[str, Any]


@dataclass
class Draft:
    """A row to be written. Nothing in it is saved.

    `fields` are columns, with `extra` and, where the resource has an id, `fhir_id`. `many` holds primary keys of
    many-to-many fields, `parameters` all SchedulingParameters that the row is to have. `actor` is a field of
    Bookable with the primary key of a Schedule's actor; a role's is its practitioner's. `slots` are the primary
    keys of the Slots that an Appointment names.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    many: dict[str, list[int]] = field(default_factory=dict)
    parameters: list[ParametersDraft] = field(default_factory=list)
    actor: tuple[str, int] | None = None
    slots: list[int] = field(default_factory=list)


@dataclass
class Reading:
    """Collects all that is wrong, so that whoever sent it hears it at once. `actor` is the row of a Schedule's.

    `broken` are rules of FHIR's that are broken, for where nothing else has been said.
    """

    type: str
    resource: Json
    refs: References
    draft: Draft = field(default_factory=Draft)
    issues: list[ResourceIssue] = field(default_factory=list)
    broken: list[ResourceIssue] = field(default_factory=list)
    actor: Any = None

    def refuse(self, *issues: ResourceIssue) -> None:
        self.issues += issues

    def require(self, path: str) -> None:
        """An element that is missing, and not because it could not be read."""
        if not self.is_refused(path.split(".")[1].partition("[")[0]):
            self.refuse(ResourceIssue("required", f"{path} is required.", path))

    def is_refused(self, element: str) -> bool:
        """True if something is wrong with an element of the resource: it may be there, but nobody can tell."""
        return any(re.match(rf"\w+\.{element}\b", issue.expression) for issue in self.issues)

    def find(self, reference: str, *types: str, path: str) -> int | None:
        """The primary key, or None and an issue."""
        try:
            return self.refs.find(reference, *types, path=path)
        except InvalidResource as error:
            self.refuse(*error.issues)
            return None

    def find_all(self, references: Iterable[tuple[str, str]], *types: str) -> list[int]:
        """The primary keys of (reference, path), each once."""
        found = (self.find(reference, *types, path=path) for reference, path in references)
        return list(dict.fromkeys(pk for pk in found if pk is not None))

    def refuse_element(self, error: InvalidElement, path: str) -> None:
        self.refuse(error.issue(f"{self.type}.{path}"))

    def finish(self) -> Draft:
        """The draft, if nothing is wrong."""
        said = [issue.expression for issue in self.issues]
        self.refuse(*(each for each in self.broken if not any(_is_about(each.expression, path) for path in said)))
        if self.issues:
            raise InvalidResource(self.issues)
        self.draft.fields["extra"] = self.resource
        return self.draft


def _is_about(path: str, other: str) -> bool:
    """True if one is the other, or a part of an element that the other is."""
    short, long = sorted((path, other), key=len)
    return "." in short and long.startswith(short) and long[len(short) : len(short) + 1] in ("", ".", "[")
