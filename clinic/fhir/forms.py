"""Questionnaire: https://hl7.org/fhir/R4/questionnaire.html"""

from collections.abc import Iterable, Iterator

from clinic.fhir.datatypes import Json
from clinic.fhir.elements import LIST, Element, code, text
from clinic.fhir.issues import ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import IDENTIFIER
from clinic.fhir.readings import Reading
from clinic.models import Questionnaire

QUESTIONNAIRE = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Questionnaire.Status, Questionnaire.Status.DRAFT)),
    Element(Path("url"), "url", text(500)),
    Element(Path("name"), "name", text(200)),
    Element(Path("title"), "title", text(200)),
    Element(Path("item"), "item", LIST),
)


def _check_link_ids(reading: Reading) -> None:
    """Invariant que-2: answers find their question by its linkId."""
    seen: set[str] = set()
    for path, link_id in _link_ids(reading.draft.fields.get("item", ()), "Questionnaire"):
        if link_id in seen:
            reading.refuse(ResourceIssue("invalid", f"linkId {link_id!r} is not unique.", f"{path}.linkId"))
        seen.add(link_id)


def _link_ids(items: Iterable[Json], path: str) -> Iterator[tuple[str, str]]:
    for n, item in enumerate(items):
        here = f"{path}.item[{n}]"
        yield here, item["linkId"]
        yield from _link_ids(item.get("item", ()), here)


KINDS = {
    "Questionnaire": ResourceKind(
        Questionnaire, writer(QUESTIONNAIRE), reader("Questionnaire", QUESTIONNAIRE, _check_link_ids)
    ),
}
