"""What a traveller is asked: items of a FHIR Questionnaire, https://hl7.org/fhir/R4/questionnaire.html"""

from typing import Any

Json = dict[str, Any]


def _choices(*texts: str) -> list[Json]:
    return [{"valueString": text} for text in texts]


def _if(question: str, *, answer: bool) -> Json:
    return {"enableWhen": [{"question": question, "operator": "=", "answerBoolean": answer}]}


TRAVEL_HEALTH: list[Json] = [
    {
        "linkId": "journey",
        "type": "group",
        "text": "Your journey",
        "item": [
            {
                "linkId": "countries",
                "type": "string",
                "text": "Which countries will you visit?",
                "required": True,
                "repeats": True,
            },
            {"linkId": "departure", "type": "date", "text": "When do you leave?", "required": True},
            {"linkId": "return", "type": "date", "text": "When do you come back?"},
            {
                "linkId": "purpose",
                "type": "choice",
                "text": "Why are you travelling?",
                "answerOption": _choices("Holiday", "Visiting family or friends", "Work or study", "Pilgrimage"),
            },
            {
                "linkId": "rural",
                "type": "boolean",
                "text": "Will you spend nights outside cities or hotels?",
            },
        ],
    },
    {
        "linkId": "health",
        "type": "group",
        "text": "Your health",
        "item": [
            {"linkId": "allergies", "type": "boolean", "text": "Are you allergic to anything?", "required": True},
            {
                "linkId": "allergies-which",
                "type": "text",
                "text": "To what, and what happens?",
                **_if("allergies", answer=True),
            },
            {"linkId": "medicines", "type": "text", "text": "Which medicines do you take?"},
            {"linkId": "pregnant", "type": "boolean", "text": "Are you pregnant, or could you be?"},
            {
                "linkId": "vaccinated",
                "type": "choice",
                "text": "Against which of these were you vaccinated in the last ten years?",
                "repeats": True,
                "answerOption": _choices("Hepatitis A", "Hepatitis B", "Tetanus", "Typhoid", "Yellow fever", "Rabies"),
            },
        ],
    },
    {
        "linkId": "remarks",
        "type": "text",
        "text": "Is there anything else we should know?",
        "maxLength": 1000,
    },
]
