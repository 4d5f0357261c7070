"""Questionnaire and QuestionnaireResponse.

https://hl7.org/fhir/R4/questionnaire.html, questionnaireresponse.html. A response names its questionnaire by canonical
(with a version, if one was sent) or as `Questionnaire/id`, and its visit by an extension.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import regex
from fhirpathpy import evaluate
from fhirpathpy.models import models

from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import LIST, MOMENT, Element, ReferenceElement, code, text
from clinic.fhir.issues import InvalidResource, ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import IDENTIFIER
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.models import Questionnaire, QuestionnaireResponse

QUESTIONNAIRE = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Questionnaire.Status, Questionnaire.Status.DRAFT)),
    Element(Path("url"), "url", text(500)),
    Element(Path("name"), "name", text(200)),
    Element(Path("title"), "title", text(200)),
    Element(Path("item"), "item", LIST),
)


def _check_link_ids(reading: Reading) -> None:
    """Check invariant que-2: each linkId is unique, since answers name their question by it."""
    seen: set[str] = set()
    for path, link_id in _link_ids(reading.draft.fields.get("item", ()), "Questionnaire"):
        if link_id in seen:
            reading.refuse(ResourceIssue("invariant", f"que-2: linkId {link_id!r} is not unique.", f"{path}.linkId"))
        seen.add(link_id)


def _check_rules(reading: Reading) -> None:
    """Check FHIR's other invariants of items, their extensions, and that each condition names an existing question."""
    items = list(_items(reading.draft.fields.get("item", ()), "Questionnaire"))
    known = {item["linkId"] for _, item in items}
    variables = _variables([reading.resource, *(item for _, item in items)])
    for path, item in items:
        for rule, meaning, is_broken in RULES:
            if is_broken(item):
                reading.refuse(ResourceIssue("invariant", f"{rule}: {meaning}", path))
        for n, condition in enumerate(item.get("enableWhen", ())):
            at = f"{path}.enableWhen[{n}]"
            if condition["question"] not in known:
                text = f"There is no question {condition['question']!r}."
                reading.refuse(ResourceIssue("not-found", text, f"{at}.question"))
            if condition["operator"] == "exists" and "answerBoolean" not in condition:
                reading.refuse(ResourceIssue("invariant", "que-7: exists is answered with a boolean.", at))
        for at, fault in _extension_faults(item, variables):
            reading.refuse(ResourceIssue("value", fault, f"{path}.{at}"))


def _extension_faults(item: Json, variables: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the fault of each regular expression and FHIRPath expression that can never work."""
    for n, extension in enumerate(item.get("extension", ())):
        expression = extension.get("valueExpression")
        if extension["url"] == codes.REGEX:
            try:
                regex.compile(str(extension.get("valueString", "")))
            except regex.error as error:
                yield f"extension[{n}].valueString", f"This is not a regular expression: {error}."
        elif expression and expression.get("language") != "text/fhirpath":
            yield f"extension[{n}].valueExpression.language", "Expressions are written in text/fhirpath here."
        elif expression and (fault := _expression_fault(str(expression.get("expression", "")), variables)):
            yield f"extension[{n}].valueExpression.expression", f"This expression cannot be evaluated: {fault}."


def _expression_fault(path: str, variables: Iterable[str]) -> str:
    """Return why the FHIRPath expression fails on an empty response; empty if it does not fail."""
    try:
        evaluate({}, path, {"resource": {}, "patient": {}, **{name: [] for name in variables}}, models["r4"])
    except Exception as error:  # the library raises bare Exceptions for syntax errors
        return str(error) or type(error).__name__
    return ""


def _variables(resources: Iterable[Json]) -> set[str]:
    """Return the names of the variables that a questionnaire and its items define."""
    extensions = (extension for resource in resources for extension in resource.get("extension", ()))
    variables = (extension for extension in extensions if extension["url"] == codes.VARIABLE)
    expressions = (variable.get("valueExpression", {}) for variable in variables)
    return {str(expression["name"]) for expression in expressions if "name" in expression}


SIMPLE = ("boolean", "decimal", "integer", "string", "text", "url", "open-choice")
WITH_OPTIONS = ("choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity")
# https://hl7.org/fhir/R4/questionnaire.html#invs
RULES: tuple[tuple[str, str, Callable[[Json], Any]], ...] = (
    ("que-1", "A group has items.", lambda item: item["type"] == "group" and not item.get("item")),
    ("que-1", "A display has no items.", lambda item: item["type"] == "display" and item.get("item")),
    ("que-3", "A display has no code.", lambda item: item["type"] == "display" and item.get("code")),
    (
        "que-4",
        "Options are listed or a value set, not both.",
        lambda item: item.get("answerOption") and item.get("answerValueSet"),
    ),
    (
        "que-5",
        "Items of this type have no options.",
        lambda item: item["type"] not in WITH_OPTIONS and (item.get("answerOption") or item.get("answerValueSet")),
    ),
    (
        "que-6",
        "A display is neither required nor repeated.",
        lambda item: item["type"] == "display" and ("required" in item or "repeats" in item),
    ),
    (
        "que-8",
        "Groups and displays have no initial values.",
        lambda item: item["type"] in ("group", "display") and item.get("initial"),
    ),
    ("que-9", "A display is not read-only.", lambda item: item["type"] == "display" and "readOnly" in item),
    (
        "que-10",
        "Items of this type have no maximum length.",
        lambda item: item["type"] not in SIMPLE and "maxLength" in item,
    ),
    (
        "que-11",
        "Where options are listed, initialSelected marks the initial one.",
        lambda item: item.get("answerOption") and item.get("initial"),
    ),
    (
        "que-12",
        "Several conditions need enableBehavior.",
        lambda item: len(item.get("enableWhen", ())) > 1 and not item.get("enableBehavior"),
    ),
    (
        "que-13",
        "Only items that repeat have several initial values.",
        lambda item: len(item.get("initial", ())) > 1 and not item.get("repeats"),
    ),
)


def _items(items: Iterable[Json], path: str) -> Iterator[tuple[str, Json]]:
    for n, item in enumerate(items):
        here = f"{path}.item[{n}]"
        yield here, item
        yield from _items(item.get("item", ()), here)


def _link_ids(items: Iterable[Json], path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the linkId of each item of a questionnaire, or of a response with the items in its answers."""
    for n, item in enumerate(items):
        here = f"{path}.item[{n}]"
        yield here, item["linkId"]
        yield from _link_ids(item.get("item", ()), here)
        for m, answer in enumerate(item.get("answer", ())):
            yield from _link_ids(answer.get("item", ()), f"{here}.answer[{m}]")


class ResponseQuestionnaire:
    """The questionnaire of a response, which must have all questions that are answered.

    A canonical of a questionnaire that is not in the database stays in `extra` as it was sent.
    """

    def take(self, reading: Reading) -> None:
        resource = reading.resource
        sent = resource.get("questionnaire", "")
        try:
            form = reading.refs.questionnaire(sent, path="QuestionnaireResponse.questionnaire") if sent else None
        except InvalidResource as error:
            reading.refuse(*error.issues)
            return
        reading.draft.fields["questionnaire_id"] = form.pk if form else None
        if form is None:
            return
        if sent == _canonical(form):
            del resource["questionnaire"]
        questions = {link_id for _, link_id in _link_ids(form.item, "")}
        for path, link_id in _link_ids(resource.get("item", ()), "QuestionnaireResponse"):
            if link_id not in questions:
                text = f"The questionnaire has no question {link_id!r}."
                reading.refuse(ResourceIssue("not-found", text, f"{path}.linkId"))

    def give(self, row: QuestionnaireResponse, resource: Json) -> None:
        form = row.questionnaire
        sent = resource.get("questionnaire", "").partition("|")[0]
        if form and not (sent and (sent == form.url or local_reference(sent) == form.reference)):
            resource["questionnaire"] = _canonical(form)


def _canonical(form: Any) -> str:
    return str(form.url or form.reference)


RESPONSE = (
    Element(Path("status"), "status", code(QuestionnaireResponse.Status), required=True),
    ResponseQuestionnaire(),
    ReferenceElement(Path("subject", "reference"), "patient", types=("Patient",)),
    ReferenceElement(
        Path("extension", ("url", codes.APPOINTMENT), "valueReference", "reference"),
        "appointment",
        types=("Appointment",),
    ),
    Element(Path("authored"), "authored", MOMENT),
    Element(Path("item"), "item", LIST),
)

KINDS = {
    "Questionnaire": ResourceKind(
        Questionnaire, writer(QUESTIONNAIRE), reader("Questionnaire", QUESTIONNAIRE, _check_link_ids, _check_rules)
    ),
    "QuestionnaireResponse": ResourceKind(
        QuestionnaireResponse,
        writer(RESPONSE),
        reader("QuestionnaireResponse", RESPONSE),
        related=("questionnaire", "patient", "appointment"),
    ),
}
