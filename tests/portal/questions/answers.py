"""Questions of all kinds, and the data that their page posts."""

from django.urls import reverse

from clinic.fhir.codes import RED_FLAG
from clinic.models import QuestionnaireResponse

ALARM = [{"url": RED_FLAG, "valueString": "Call 911 now."}]
PAIN = {
    "linkId": "pain",
    "type": "choice",
    "text": "Does your chest hurt?",
    "required": True,
    "answerOption": [{"valueString": "No"}, {"valueString": "Yes", "extension": ALARM}],
}
SMOKES = {"linkId": "smokes", "type": "boolean", "text": "Do you smoke?", "required": True}
HOW_MUCH = {
    "linkId": "how-much",
    "type": "integer",
    "text": "How many a day?",
    "required": True,
    "enableWhen": [{"question": "smokes", "operator": "=", "answerBoolean": True}],
}
BORN = {"linkId": "since", "type": "date", "text": "Since when?"}
NAMES = {"linkId": "names", "type": "string", "text": "Names", "repeats": True}


def page(appointment, number=1):
    return reverse("portal:questions-part", args=[appointment.fhir_id, number])


def sent(*questions, **typed):
    """Return the posted data of the form: `shown` questions, and `typed` by linkId, with dots instead of hyphens."""
    controls = {f"q-{name.replace('_', '-')}": value for name, value in typed.items()}
    return {"shown": [f"q-{each}" for each in questions], **{f"{n}.0": v for n, v in controls.items()}}


COMPLETE = sent("pain", "smokes", "since", pain="No", smokes="false")


def response():
    return QuestionnaireResponse.objects.get()
