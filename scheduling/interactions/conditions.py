"""Create only what is not there yet: https://hl7.org/fhir/R4/http.html#ccreate"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from clinic.fhir.resources import RESOURCES
from clinic.models import Resource
from scheduling.errors import Invalid, Issue, SchedulingError
from scheduling.interactions.entries import Entry


class SeveralMatch(SchedulingError):
    """A condition that should single out one resource fits several."""

    code = "multiple-matches"
    message = "Several resources match If-None-Exist."


def already_there(entries: Sequence[Entry]) -> list[tuple[Entry, Resource]]:
    """The entries whose If-None-Exist finds a row, and that row. Raises Invalid, SeveralMatch."""
    found = [(entry, _match(entry)) for entry in entries if entry.condition]
    return [(entry, row) for entry, row in found if row is not None]


def _match(entry: Entry) -> Resource | None:
    identifier = _identifier(entry.condition)
    rows = RESOURCES[entry.type].model._default_manager.filter(deleted_at=None)
    found = list(rows.filter(**_has(entry.type, identifier))[:2])
    if len(found) > 1:
        raise SeveralMatch
    return found[0] if found else None


def _has(kind: str, identifier: dict[str, str]) -> dict[str, Any]:
    """A QuestionnaireResponse has only one identifier, and no column for it."""
    if kind == "QuestionnaireResponse":
        return {"extra__identifier__contains": identifier}
    return {"identifier__contains": [identifier]}


def _identifier(condition: str) -> dict[str, str]:
    match parse_qsl(condition.removeprefix("?"), keep_blank_values=True):
        case [("identifier", value)] if "," not in value and value:
            system, _, rest = value.rpartition("|")
            return {"system": system, "value": rest} if system else {"value": rest}
    text = f"{condition!r}: only a condition of one identifier is supported, such as identifier=http://example.org|123."
    raise Invalid(issues=[Issue("not-supported", text)])
