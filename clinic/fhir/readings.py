"""The state of reading a resource: the remaining JSON, the draft of its row, and the issues found so far."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement, InvalidResource, ResourceIssue
from clinic.fhir.references import References


@dataclass
class ParametersDraft:
    """The columns of a SchedulingParameters row to be written. `service_id` is "self" for the service being read."""

    service_id: int | Literal["self"]
    fields: dict[str, Any]


@dataclass
class Draft:
    """A row to be written, which is not saved yet.

    `fields` are columns, with `extra`, and `fhir_id` if the resource has an id. `many` holds the primary keys of
    many-to-many fields, and `parameters` all SchedulingParameters of the new version. `actor` is the field of Bookable
    for a Schedule's actor, with the actor's primary key; for a role, its practitioner's. `slots` are the primary keys
    of the Slots that an Appointment names.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    many: dict[str, list[int]] = field(default_factory=dict)
    parameters: list[ParametersDraft] = field(default_factory=list)
    actor: tuple[str, int] | None = None
    slots: list[int] = field(default_factory=list)


@dataclass
class Reading:
    """The reading of one resource. It collects all issues, so that the client gets them in one response.

    `actor` is the row of a Schedule's actor. `broken` are issues of FHIR's invariants; they are reported only for
    elements that have no other issue.
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
        """Add an issue for a missing element, unless it is missing because it could not be read."""
        if not self.is_refused(path.split(".")[1].partition("[")[0]):
            self.refuse(ResourceIssue("required", f"{path} is required.", path))

    def is_refused(self, element: str) -> bool:
        """True if an element of the resource, or a part of it, has an issue."""
        return any(re.match(rf"\w+\.{element}\b", issue.expression) for issue in self.issues)

    def find(self, reference: str, *types: str, path: str) -> int | None:
        """Return the primary key of the row that a reference names; add an issue and return None if there is none."""
        try:
            return self.refs.find(reference, *types, path=path)
        except InvalidResource as error:
            self.refuse(*error.issues)
            return None

    def find_all(self, references: Iterable[tuple[str, str]], *types: str) -> list[int]:
        """Return the primary keys for pairs of a reference and its path, without duplicates."""
        found = (self.find(reference, *types, path=path) for reference, path in references)
        return list(dict.fromkeys(pk for pk in found if pk is not None))

    def refuse_element(self, error: InvalidElement, path: str) -> None:
        self.refuse(error.issue(f"{self.type}.{path}"))

    def finish(self) -> Draft:
        """Return the draft. Raises InvalidResource if there are issues."""
        paths = [issue.expression for issue in self.issues]
        self.refuse(*(issue for issue in self.broken if not any(_is_about(issue.expression, path) for path in paths)))
        if self.issues:
            raise InvalidResource(self.issues)
        self.draft.fields["extra"] = self.resource
        return self.draft


def _is_about(path: str, other: str) -> bool:
    """True if the paths are equal, or one is the path of a part of the other."""
    short, long = sorted((path, other), key=len)
    return "." in short and long.startswith(short) and long[len(short) : len(short) + 1] in ("", ".", "[")
