"""References to resources by id or identifier: https://hl7.org/fhir/R4/references.html"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from api.operations.parameters import REFERENCE, Reader
from api.operations.proposals import objects
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.models import Location, Patient, Practitioner, PractitionerRole
from scheduling.errors import Invalid, Issue, NotFound

OF_ANOTHER = "of another server"


@dataclass(frozen=True)
class ReferenceTarget:
    """The target of a reference: a resource of this server, by id or by identifier, or one of another server."""

    kind: str = ""
    fhir_id: str = ""
    identifier: Json = field(default_factory=dict)


def reference_target(base: str, *kinds: str) -> Reader[ReferenceTarget]:
    """Return the reader of a Reference or uri: relative, absolute, or by identifier."""

    def read(value: Any) -> ReferenceTarget:
        identifier = value.get("identifier") if isinstance(value, dict) else None
        text = value.get("reference") if isinstance(value, dict) else value
        if text is None and isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
            return ReferenceTarget(
                identifier={name: identifier[name] for name in ("system", "value") if name in identifier}
            )
        match = REFERENCE.fullmatch(text.removeprefix(base)) if isinstance(text, str) else None
        if match is not None and match[1] in kinds:
            return ReferenceTarget(match[1], match[2])
        if match is None and isinstance(text, str) and "://" in text:
            return ReferenceTarget()  # on another server
        forms = " or ".join(f"{kind}/[id]" for kind in kinds)
        raise InvalidElement(f"Not a reference such as {forms}; got {str(text)[:64]!r}.")

    return read


def find_rows(rows: QuerySet[Any], targets: Sequence[ReferenceTarget], notes: list[str] | None = None) -> list[Any]:
    """Return the referenced rows, in order; `notes` gets the unknown ones. One statement at most."""
    if not targets:
        return []
    conditions = [_condition(each) for each in targets]
    found = list(rows.filter(reduce(or_, conditions), deleted_at=None))
    for target in targets:
        if notes is not None and not any(is_named(row, target) for row in found):
            kind = rows.model.__name__
            what = (
                f"{kind}/{target.fhir_id}" if target.fhir_id else f"{kind} {target.identifier.get('value', OF_ANOTHER)}"
            )
            notes.append(f"{what} is not known here.")
    return [row for each in targets for row in found if is_named(row, each)]


def _condition(target: ReferenceTarget) -> Q:
    return Q(identifier__contains=[target.identifier]) if target.identifier else Q(fhir_id=target.fhir_id)


def is_named(row: Any, sought: ReferenceTarget) -> bool:
    """True if the reference is to this row."""
    if sought.identifier:
        return any(sought.identifier.items() <= each.items() for each in row.identifier)
    return bool(row.fhir_id == sought.fhir_id)


# Participants


def with_references(appointment: Json, at: str, patients: QuerySet[Patient]) -> Json:
    """Return the Appointment with a reference for each actor that it names by identifier.

    At most one statement for each kind of actor. `at` is the parameter that has the Appointment, `patients` are the
    possible patients. Raises NotFound for an unknown actor, Invalid for a contained one.
    """
    actors = {
        n: each["actor"] for n, each in objects(appointment.get("participant")) if isinstance(each.get("actor"), dict)
    }
    brought = [n for n, actor in actors.items() if str(actor.get("reference", "")).startswith("#")]
    if brought:
        text = "Who takes part is a resource of ours. Register a patient, or bring them as patient-resource to $book."
        raise Invalid(issues=[Issue("not-supported", text, _place(at, n)) for n in brought])
    identified = {n: named for n, actor in actors.items() if "reference" not in actor and (named := _named(actor))}
    if not identified:
        return appointment
    kinds = (Practitioner.objects.all(), PractitionerRole.objects.all(), Location.objects.all(), patients)
    known = [row for rows in kinds for row in find_rows(rows, list(identified.values()))]
    found = {n: _row_for(known, actors[n], named) for n, named in identified.items()}
    if strangers := [n for n, row in found.items() if row is None]:
        raise NotFound(
            issues=[Issue("not-found", "This names nobody here, or several.", _place(at, n)) for n in strangers]
        )
    participants = [
        {**each, "actor": {**each["actor"], "reference": found[n].reference}} if n in found else each
        for n, each in enumerate(appointment["participant"])
    ]
    return {**appointment, "participant": participants}


def _place(at: str, n: int) -> str:
    return f"{at}.participant[{n}].actor"


def _named(actor: Json) -> ReferenceTarget | None:
    """Return the target of an actor's identifier; None without a readable one."""
    match actor.get("identifier"):
        case {"system": str(system), "value": str(value)}:
            return ReferenceTarget(identifier={"system": system, "value": value})
        case {"value": str(value)}:
            return ReferenceTarget(identifier={"value": value})
    return None


def _row_for(known: list[Any], actor: Json, named: ReferenceTarget) -> Any:
    """Return the row that the identifier names, of the actor's type; None if there are none or several."""
    kind = actor.get("type")
    found = {row for row in known if is_named(row, named) and kind in (None, row.RESOURCE_TYPE)}
    return found.pop() if len(found) == 1 else None
