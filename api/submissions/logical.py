"""Who takes part by an identifier alone: https://hl7.org/fhir/R4/references.html#logical"""

from typing import Any

from django.db.models import QuerySet

from api.looking import Named, find_rows, is_named
from api.submissions.submission import objects
from clinic.fhir.datatypes import Json
from clinic.models import Location, Patient, Practitioner, PractitionerRole
from scheduling.errors import Invalid, Issue, NotFound


def with_references(sent: Json, at: str, patients: QuerySet[Patient]) -> Json:
    """The Appointment that says of everybody whom it names by an identifier which resource that is.

    A statement for each kind of actor at most. `at` is the parameter that brought it, `patients` are those whom it may
    be for. Raises NotFound for who is not known, Invalid for who is brought along.
    """
    actors = {n: each["actor"] for n, each in objects(sent.get("participant")) if isinstance(each.get("actor"), dict)}
    brought = [n for n, actor in actors.items() if str(actor.get("reference", "")).startswith("#")]
    if brought:
        text = "Who takes part is a resource of ours. Register a patient, or bring them as patient-resource to $book."
        raise Invalid(issues=[Issue("not-supported", text, _place(at, n)) for n in brought])
    wanted = {n: named for n, actor in actors.items() if "reference" not in actor and (named := _named(actor))}
    if not wanted:
        return sent
    kinds = (Practitioner.objects.all(), PractitionerRole.objects.all(), Location.objects.all(), patients)
    known = [row for rows in kinds for row in find_rows(rows, list(wanted.values()))]
    found = {n: _who(known, actors[n], named) for n, named in wanted.items()}
    if strangers := [n for n, row in found.items() if row is None]:
        raise NotFound(
            issues=[Issue("not-found", "This names nobody here, or several.", _place(at, n)) for n in strangers]
        )
    participants = [
        {**each, "actor": {**each["actor"], "reference": found[n].reference}} if n in found else each
        for n, each in enumerate(sent["participant"])
    ]
    return {**sent, "participant": participants}


def _place(at: str, n: int) -> str:
    return f"{at}.participant[{n}].actor"


def _named(actor: Json) -> Named | None:
    """Whom an identifier names; what is none is for the definition to refuse."""
    match actor.get("identifier"):
        case {"system": str(system), "value": str(value)}:
            return Named(identifier={"system": system, "value": value})
        case {"value": str(value)}:
            return Named(identifier={"value": value})
    return None


def _who(known: list[Any], actor: Json, named: Named) -> Any:
    """The one whom it means, of the type that the reference may say; None for nobody in particular."""
    kind = actor.get("type")
    found = {row for row in known if is_named(row, named) and kind in (None, row.RESOURCE_TYPE)}
    return found.pop() if len(found) == 1 else None
