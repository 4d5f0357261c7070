"""The answers of the demo's patients: items of a FHIR QuestionnaireResponse, by chance."""

from datetime import date, timedelta
from random import Random
from typing import Any

from demo.seed.organization import CHANCES

Json = dict[str, Any]

JOURNEYS = (
    # countries, purpose, beyond cities and hotels, days away
    (("Kenya", "Tanzania"), "Holiday", True, 21),
    (("Peru",), "Holiday", True, 18),
    (("Vietnam", "Cambodia"), "Holiday", False, 14),
    (("India",), "Visiting family or friends", False, 35),
    (("Ghana",), "Work or study", True, 90),
    (("Brazil",), "Work or study", False, 10),
)
ALLERGIES = ("Penicillin: a rash, years ago.", "Eggs: I feel sick.", "", "", "")
VACCINATIONS = ("Hepatitis A", "Tetanus", "Typhoid")
SINCE = ("Since the winter", "For about two years", "Since I work nights")


def travel(day: date, random: Random) -> list[Json]:
    """The answers for a visit on that day; the journey is a month or two later."""
    countries, purpose, is_rural, days = random.choice(JOURNEYS)
    leaves = day + timedelta(days=random.randrange(28, 70))
    allergy = random.choice(ALLERGIES)
    vaccinated = random.sample(VACCINATIONS, random.randrange(1, 4))
    return [
        _group("now", _answer("fever", "valueString", "No")),
        _group(
            "journey",
            _answer("countries", "valueString", *countries),
            _answer("departure", "valueDate", f"{leaves}"),
            _answer("return", "valueDate", f"{leaves + timedelta(days=days)}"),
            _answer("purpose", "valueString", purpose),
            _answer("rural", "valueBoolean", is_rural),
        ),
        _group(
            "health",
            _answer("allergies", "valueBoolean", bool(allergy)),
            *([_answer("allergies-which", "valueString", allergy)] if allergy else []),
            _answer("vaccinated", "valueString", *vaccinated),
        ),
    ]


def sleep(day: date, random: Random) -> list[Json]:
    return [
        _answer("hours", "valueInteger", random.randrange(4, 8)),
        _answer("snores", "valueBoolean", random.random() < 0.5),
        _answer("dozes", "valueString", random.choice(CHANCES)),
        _answer("since", "valueString", random.choice(SINCE)),
    ]


# By the FHIR id of the Questionnaire.
ANSWERS = {"travel-health": travel, "sleep": sleep}


def _group(link: str, *items: Json) -> Json:
    return {"linkId": link, "item": list(items)}


def _answer(link: str, name: str, *values: Any) -> Json:
    return {"linkId": link, "answer": [{name: value} for value in values]}
