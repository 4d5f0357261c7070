"""Searches for Slots, and reading of their answers."""

from clinic.fhir.datatypes import instant
from tests.api.dialects import matches
from tests.scheduling.situations import monday

FORM = "application/x-www-form-urlencoded"
NPI = "http://hl7.org/fhir/sid/us-npi"
DAY = {"start": [f"ge{instant(monday(0))}", f"lt{instant(monday(0, days=1))}"]}
FREE_DAY = {**DAY, "status": "free"}


def slots(api, **query):
    answer = api.get("Slot", query)
    return matches(answer) if "entry" in answer.fhir else []


def starts(found):
    return [slot["start"] for slot in found]


def hours(*of_monday):
    return [instant(monday(hour)) for hour in of_monday]
