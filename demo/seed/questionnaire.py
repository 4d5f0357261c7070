"""The questions for travellers: items of a FHIR Questionnaire, https://hl7.org/fhir/R4/questionnaire.html"""

from typing import Any

from clinic.fhir.codes import RED_FLAG

Json = dict[str, Any]

STANDARD = "http://hl7.org/fhir/StructureDefinition"
UCUM = "http://unitsofmeasure.org"


def _choices(*texts: str) -> list[Json]:
    return [{"valueString": text} for text in texts]


def _if(question: str, **answer: Any) -> Json:
    """Asked only where `question` was answered so: answerBoolean=True, answerString="Rabies"."""
    return {"enableWhen": [{"question": question, "operator": "=", **answer}]}


def _help(link_id: str, text: str) -> Json:
    return {"linkId": link_id, "type": "display", "text": text}


def _extension(name: str, **value: Any) -> Json:
    return {"url": f"{STANDARD}/{name}", **value}


def _unit(code: str, name: str) -> Json:
    unit = {"system": UCUM, "code": code, "display": name}
    return _extension("questionnaire-unitOption", valueCoding=unit)


ILL_ABROAD = (
    "If you have trouble breathing, chest pain or are confused, call your local emergency number now."
    " Otherwise call the clinic today: fever after a journey must be looked at the same day."
)

TRAVEL_HEALTH: list[Json] = [
    {
        "linkId": "now",
        "type": "group",
        "text": "How you are today",
        "item": [
            {
                "linkId": "fever",
                "type": "choice",
                "text": "Have you had a fever after a journey in the last four weeks?",
                "required": True,
                "answerOption": [
                    {"valueString": "No"},
                    {"valueString": "Yes, but it is over"},
                    {
                        "valueString": "Yes, and I have it now",
                        "extension": [{"url": RED_FLAG, "valueString": ILL_ABROAD}],
                    },
                ],
            },
        ],
    },
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
                "maxLength": 60,
            },
            {"linkId": "departure", "type": "date", "text": "When do you leave?", "required": True},
            {"linkId": "return", "type": "date", "text": "When do you come back?"},
            {
                "linkId": "purpose",
                "type": "open-choice",
                "text": "Why are you travelling?",
                "answerOption": _choices("Holiday", "Visiting family or friends", "Work or study", "Pilgrimage"),
            },
            {
                "linkId": "rural",
                "type": "boolean",
                "text": "Will you spend nights outside cities or hotels?",
            },
            {
                "linkId": "altitude",
                "type": "quantity",
                "text": "How high will you go, if into the mountains?",
                "extension": [_unit("m", "metres"), _unit("[ft_i]", "feet")],
            },
            {
                "linkId": "itinerary",
                "type": "attachment",
                "text": "Your travel plan, if you have one as a file",
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
                "required": True,
                "maxLength": 500,
                **_if("allergies", answerBoolean=True),
            },
            {
                "linkId": "medicine",
                "type": "group",
                "text": "Medicine",
                "repeats": True,
                "item": [
                    {
                        "linkId": "medicine-name",
                        "type": "string",
                        "text": "Which medicine do you take?",
                        "item": [
                            _help("medicine-help", "As it is written on the package. Leave it empty if you take none."),
                            {
                                "linkId": "medicine-daily",
                                "type": "integer",
                                "text": "How many times a day?",
                                "extension": [
                                    _extension("minValue", valueInteger=1),
                                    _extension("maxValue", valueInteger=24),
                                ],
                            },
                        ],
                    },
                ],
            },
            {"linkId": "pregnant", "type": "boolean", "text": "Are you pregnant, or could you be?"},
            {
                "linkId": "weight",
                "type": "decimal",
                "text": "How much do you weigh?",
                "extension": [
                    _extension("questionnaire-unit", valueCoding={"system": UCUM, "code": "kg", "display": "kg"}),
                    _extension("minValue", valueDecimal=1),
                    _extension("maxValue", valueDecimal=400),
                ],
                "item": [_help("weight-help", "Some doses depend on it.")],
            },
            {
                "linkId": "vaccinated",
                "type": "choice",
                "text": "Against which of these were you vaccinated in the last ten years?",
                "repeats": True,
                "answerOption": _choices("Hepatitis A", "Hepatitis B", "Tetanus", "Typhoid", "Yellow fever", "Rabies"),
            },
            {
                "linkId": "yellow-fever",
                "type": "date",
                "text": "When was the one against yellow fever?",
                **_if("vaccinated", answerString="Yellow fever"),
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
