"""Helpers that build questionnaires and typed answers."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as Definition

from clinic.fhir.codes import RED_FLAG
from scheduling import questionnaire_answers, questionnaires
from scheduling.questionnaire_answers import AnswerRequest
from scheduling.questionnaires import Entries, PostedForm, read_items
from tests.factories import MONDAY_9

ZONE = ZoneInfo("America/New_York")
NOW = MONDAY_9 - timedelta(days=7)
STANDARD = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"
COLOURS = [{"valueCoding": {"system": "http://example.org/c", "code": each, "display": each.title()}} for each in "rgb"]


def ask(*items, **typed):
    """The sheet of these items; `typed` by linkId, a dict for the parts of an answer, a list for checkboxes."""
    read = read_items(items)
    return questionnaires.fill(read, entries(**typed), ZONE)


def entries(**typed):
    named = {}
    for link, text in typed.items():
        if isinstance(text, list):
            named[f"q-{link}"] = text
        elif isinstance(text, dict):
            named |= {f"q-{link}.0.{part}" if part else f"q-{link}.0": [each] for part, each in text.items()}
        else:
            named[f"q-{link}.0"] = [text]
    return Entries(named)


def item(kind, link_id="a", **more):
    return {"linkId": link_id, "type": kind, "text": f"Question {link_id}", **more}


def group(link_id, *items, **more):
    return {"linkId": link_id, "type": "group", "text": link_id, "item": list(items), **more}


def extension(name, **value):
    return {"url": f"{STANDARD}/{name}", **value}


def when(question, operator, **answer):
    return {"question": question, "operator": operator, **answer}


def validates(items):
    """True if the value is valid by FHIR's definition."""
    resource = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    Definition.model_validate({**resource, "item": items} if items else resource)


def expression(path, *, language="text/fhirpath", **more):
    return {"valueExpression": {"language": language, "expression": path, **more}}


def calculated(path, **more):
    return {"url": f"{SDC}-calculatedExpression", **expression(path, **more)}


def problem_of(sheet):
    return [each.text for each in questionnaires.problems(questionnaires.walk_nodes(sheet.nodes))]


UNITS = [extension("questionnaire-unitOption", valueCoding={"code": each, "display": each}) for each in ("kg", "lb")]
DATE = {"day": "5", "month": "3", "year": "2026"}
CALL = [{"url": RED_FLAG, "valueString": "Call 911 now."}]
PAIN = item(
    "choice", "pain", required=True, answerOption=[{"valueString": "No"}, {"valueString": "Yes", "extension": CALL}]
)


def answer(appointment, caller, *, done=False, version=None, now=NOW, **typed):
    [form] = questionnaire_answers.forms_of(appointment, ZONE)
    posted = PostedForm(entries(**typed).typed, frozenset({"q-pain", "q-b"}))
    request = AnswerRequest(form=form, posted=posted, items=form.items, done=done, version=version)
    return questionnaire_answers.answer(appointment, request, caller=caller, now=now).response
