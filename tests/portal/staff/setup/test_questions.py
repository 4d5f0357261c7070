"""Questionnaires written by managers: a page for each question, nothing of other software lost, a removal undone."""

from html import unescape

import pytest
from django.urls import reverse

from clinic.fhir.codes import RED_FLAG
from clinic.fhir.resources import to_fhir
from clinic.models import Questionnaire
from demo.seed.questionnaire import TRAVEL_HEALTH
from scheduling import questionnaires
from scheduling.questionnaires import question_list
from tests.factories import QuestionnaireFactory, ServiceFactory

pytestmark = pytest.mark.django_db(transaction=True)

ALARM = {"url": RED_FLAG, "valueString": "Call 911 now."}
PAIN = {
    "linkId": "pain",
    "type": "choice",
    "text": "Do you have chest pain?",
    "required": True,
    "answerOption": [{"valueString": "No"}, {"valueString": "Yes, now", "extension": [ALARM]}],
}
MEDICINE = {"linkId": "medicine", "type": "boolean", "text": "Do you take any medicine?"}
WHICH = {
    "linkId": "which",
    "type": "text",
    "text": "Which?",
    "maxLength": 500,
    "enableWhen": [{"question": "medicine", "operator": "=", "answerBoolean": True}],
}


@pytest.fixture
def form():
    return QuestionnaireFactory(title="Before your visit", item=[PAIN, MEDICINE, WHICH])


def page(name, *ids):
    return reverse(f"portal:{name}", args=ids)


def text_of(response):
    return unescape(response.content.decode())


def send(client, address, data):
    return text_of(client.post(address, data, follow=True))


def items(form):
    form.refresh_from_db()
    return form.item


def typed(item, **changes):
    """Fields that the page of a stored question sends."""
    options = "\n".join(option["valueString"] for option in item.get("answerOption", ()))
    data = {"version": "1", "text": item["text"], "kind": item["type"], "options": options, "when": ""}
    return data | ({"required": "on"} if item.get("required") else {}) | changes


def test_from_nothing_to_questions_that_patients_are_asked(client, as_administrator):
    address = client.post(page("setup-questionnaires"), {"version": "1", "title": "Knee"}).url
    form = Questionnaire.objects.get()
    assert address == page("setup-questionnaire", form.fhir_id)
    new = page("setup-question-new", form.fhir_id)

    send(client, new, {"version": "1", "text": "Which knee?", "kind": "choices", "options": " Left\n\nRight \nLeft"})
    send(client, new, {"version": "2", "text": "Does it hurt?", "kind": "boolean", "required": "on"})
    hurts = items(form)[1]["linkId"]
    later = {"version": "3", "text": "Since when?", "kind": "date", "when": f"{hurts} 0"}
    text = send(client, new, later)

    left_right = [{"valueString": "Left"}, {"valueString": "Right"}]
    knee, hurt, since = ({name: item[name] for name in item if name != "linkId"} for item in items(form))
    assert knee == {"type": "choice", "repeats": True, "text": "Which knee?", "answerOption": left_right}
    assert hurt == {"type": "boolean", "text": "Does it hurt?", "required": True}
    condition = {"question": hurts, "operator": "=", "answerBoolean": True}
    assert since == {"type": "date", "text": "Since when?", "enableWhen": [condition]}
    assert "Several answers from a list: Left, Right" in text
    assert "After “Yes” to “Does it hurt?”" in text

    send(client, address, {"version": "4", "title": "Your knee", "status": "active"})
    assert (items(form) and form.title, form.status) == ("Your knee", "active")
    preview = text_of(client.get(page("questionnaire-preview", form.fhir_id)))
    assert "Which knee?" in preview
    assert to_fhir(form)["item"] == form.item


def test_the_list_says_which_visits_ask_it(client, as_administrator, form):
    assert "No visit uses it yet" in text_of(client.get(page("setup-questionnaires")))
    ServiceFactory(name="Check-up", questionnaires=[form])
    assert "Asked before: Check-up" in text_of(client.get(page("setup-questionnaires")))
    QuestionnaireFactory(status="draft")
    assert "Not asked yet" in text_of(client.get(page("setup-questionnaires")))


@pytest.mark.parametrize("item", [PAIN, MEDICINE])
def test_a_question_that_is_saved_as_it_was_stays_as_it_was(client, as_administrator, form, item):
    send(client, page("setup-question", form.fhir_id, item["linkId"]), typed(item))
    assert items(form) == [PAIN, MEDICINE, WHICH]
    assert form.version == 2


def test_what_the_page_does_not_show_stays(client, as_administrator, form):
    address = page("setup-question", form.fhir_id, "pain")
    send(client, address, typed(PAIN, text="Chest pain?", options="Yes, now\nA little"))

    options = [PAIN["answerOption"][1], {"valueString": "A little"}]
    assert items(form)[0] == {**PAIN, "text": "Chest pain?", "answerOption": options}


def test_another_kind_of_answer_leaves_nothing_of_the_old_one(client, as_administrator, form):
    address = page("setup-question", form.fhir_id, "which")
    assert 'value="medicine 0" selected' in text_of(client.get(address))

    send(client, address, typed(WHICH, kind="display", when=""))

    assert items(form)[2] == {"linkId": "which", "type": "display", "text": "Which?"}


@pytest.mark.parametrize("item", list(question_list.every_item(TRAVEL_HEALTH)), ids=lambda item: item["linkId"])
def test_every_question_of_other_software_is_shown_and_can_be_saved(client, as_administrator, item):
    form = QuestionnaireFactory(item=TRAVEL_HEALTH)
    address = page("setup-question", form.fhir_id, item["linkId"])
    fields = client.get(address).context["form"]
    data = {bound.name: bound.value() for bound in fields if bound.value() not in (None, False)}

    client.post(address, data | {"text": item.get("text", "")})

    assert items(form) == TRAVEL_HEALTH
    assert form.version == 2


def test_faults_are_said_beside_their_field_and_nothing_typed_is_lost(client, as_administrator, form):
    new = page("setup-question-new", form.fhir_id)
    text = send(client, new, {"version": "1", "text": "", "kind": "choice", "options": ""})
    assert "Enter the question." in text
    assert "Enter the answers in the list, one per line." in text

    text = send(client, new, {"version": "1", "text": "Since when?", "kind": "date", "options": "Today"})
    assert "choose a kind with a list, or remove them" in text
    assert "Since when?" in text
    assert len(items(form)) == 3


def test_an_answer_that_another_question_waits_for_is_not_taken_away(client, as_administrator, form):
    waits = {"linkId": "how", "type": "text", "text": "How?"}
    condition = {"question": "pain", "operator": "=", "answerString": "Yes, now"}
    form.item = [PAIN, MEDICINE, WHICH, {**waits, "enableWhen": [condition]}]
    form.save()

    text = send(client, page("setup-question", form.fhir_id, "pain"), typed(PAIN, options="No\nYes"))
    assert "“How?” is asked only after the answer “Yes, now”. Change that question first." in text
    text = send(client, page("setup-question", form.fhir_id, "medicine"), typed(MEDICINE, kind="date"))
    assert "“Which?” is asked only after the answer “Yes”." in text
    remove = {"step": "remove", "question": "medicine"}
    assert "“Which?” is asked only after" in send(client, page("setup-questions-arrange", form.fhir_id), remove)
    assert len(items(form)) == 4


def test_questions_are_moved_removed_and_put_back(client, as_administrator, form):
    arrange = page("setup-questions-arrange", form.fhir_id)
    send(client, arrange, {"step": "up", "question": "medicine"})
    assert items(form) == [MEDICINE, PAIN, WHICH]
    send(client, arrange, {"step": "down", "question": "medicine"})
    assert items(form) == [PAIN, MEDICINE, WHICH]

    text = send(client, arrange, {"step": "remove", "question": "pain"})
    assert items(form) == [MEDICINE, WHICH]
    assert "Removed: Do you have chest pain?" in text
    text = send(client, arrange, {"step": "undo"})
    assert items(form) == [PAIN, MEDICINE, WHICH]
    assert "Removed:" not in text
    assert "has removed this question meanwhile" in send(client, arrange, {"step": "up", "question": "gone"})
    assert form.version == 5


def test_a_heading_goes_with_its_last_question_and_comes_back(client, as_administrator):
    heading = {"linkId": "h", "type": "group", "text": "Your heart", "item": [PAIN]}
    form = QuestionnaireFactory(item=[MEDICINE, heading])
    arrange = page("setup-questions-arrange", form.fhir_id)

    send(client, arrange, {"step": "remove", "question": "pain"})
    assert items(form) == [MEDICINE]
    send(client, arrange, {"step": "undo"})
    assert items(form) == [MEDICINE, heading]
    new = {"version": str(form.version), "text": "Since when?", "kind": "date", "under": "h"}
    send(client, page("setup-question-new", form.fhir_id), new)
    assert [each["text"] for each in items(form)[1]["item"]] == ["Do you have chest pain?", "Since when?"]


def test_two_managers_see_each_others_change(client, as_administrator, form):
    address = page("setup-question", form.fhir_id, "medicine")
    send(client, address, typed(MEDICINE, text="Any medicine?"))

    response = client.post(address, typed(MEDICINE, text="Which medicine?"))

    assert response.status_code == 409
    assert "Question: Any medicine?" in text_of(response)
    assert "Which medicine?" in text_of(response)
    assert items(form)[1]["text"] == "Any medicine?"


def test_questions_are_read_as_they_were_written(client, as_administrator, form):
    assert [each.text for each in questionnaires.items_of(form)] == [PAIN["text"], MEDICINE["text"], WHICH["text"]]
    assert client.get(page("setup-question", form.fhir_id, "gone")).status_code == 404


def test_with_one_answer_or_several_the_answers_and_their_alarms_stay(client, as_administrator, form):
    send(client, page("setup-question", form.fhir_id, "pain"), typed(PAIN, kind="choices"))
    assert items(form)[0] == {**PAIN, "repeats": True}


CHOICE = {"linkId": "x", "type": "choice", "text": "Where?"}


@pytest.mark.parametrize(
    "item",
    [
        {"linkId": "x", "type": "group", "text": "Heart", "required": True, "item": [PAIN]},
        {**CHOICE, "answerValueSet": "#countries"},
        {**CHOICE, "answerOption": [{"valueString": f"Country {number}"} for number in range(150)]},
        {**CHOICE, "answerOption": [{"valueString": "Not  here"}, {"valueString": "Here"}]},
        {"linkId": "x", "type": "display", "text": "Read this." * 200},
    ],
    ids=["required heading", "value set", "long list", "spaces", "long text"],
)
def test_what_the_page_cannot_hold_stays(client, as_administrator, item):
    form = QuestionnaireFactory(item=[item])
    address = page("setup-question", form.fhir_id, "x")
    fields = client.get(address).context["form"]
    data = {bound.name: bound.value() for bound in fields if bound.value() not in (None, False)}

    text = send(client, address, data)

    assert "Saved." in text
    assert items(form) == [item]


def test_a_question_that_was_removed_meanwhile_is_not_saved(client, as_administrator, form):
    text = send(client, page("setup-question", form.fhir_id, "gone"), typed(MEDICINE))
    assert "Somebody else has removed this question meanwhile." in text
    assert items(form) == [PAIN, MEDICINE, WHICH]
