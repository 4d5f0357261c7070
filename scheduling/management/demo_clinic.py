"""The demo's clinic, as tables. The first column is the FHIR id; times of day are those on the site's wall."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from scheduling.management.demo_questionnaire import TRAVEL_HEALTH

Json = dict[str, Any]

CODES = "https://riverside.example/CodeSystem/visit-types"
IDENTIFIERS = "https://riverside.example/identifiers"

WORKDAYS = "mon tue wed thu fri"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def open_on(days: str, opens: str, closes: str) -> Json:
    """One window of FHIR's availableTime; closing at or before opening is on the next day."""
    return {
        "daysOfWeek": days.split(),
        "availableStartTime": f"{opens}:00",
        "availableEndTime": f"{closes}:00",
    }


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def public_holidays(today: date) -> list[Json]:
    """FHIR's notAvailableTime for last year, this year and the next."""
    return [
        {"description": name, "during": {"start": f"{year}-{day}", "end": f"{year}-{day}"}}
        for year in (today.year - 1, today.year, today.year + 1)
        for day, name in (("01-01", "New Year's Day"), ("07-04", "Independence Day"), ("12-25", "Christmas Day"))
    ]


ORGANIZATION = ("riverside", "Riverside Clinic")

SITES = (
    # id, name, street, (city, state, postal code), phone, (latitude, longitude), zone
    (
        "nyc",
        "Riverside Clinic New York",
        "240 Riverside Drive",
        ("New York", "NY", "10025"),
        "(212) 555-0142",
        (40.7967, -73.9748),
        "America/New_York",
    ),
    (
        "la",
        "Riverside Clinic Los Angeles",
        "1180 Glendale Boulevard",
        ("Los Angeles", "CA", "90026"),
        "(213) 555-0178",
        (34.0745, -118.2606),
        "America/Los_Angeles",
    ),
)

ROOMS = (
    # id, site, name, the services that need it
    ("nyc-exam-1", "nyc", "Exam room 1, New York", ("travel-health",)),
    ("nyc-imaging-1", "nyc", "Imaging room 1", ("ultrasound",)),
    ("nyc-imaging-2", "nyc", "Imaging room 2", ("ultrasound",)),
    ("la-exam-1", "la", "Exam room 1, Los Angeles", ("travel-health",)),
    ("la-exam-2", "la", "Exam room 2, Los Angeles", ("travel-health",)),
)

DEVICES = (
    # id, where it stands, site, name, the services that need it
    ("ultrasound-1", "nyc-imaging-1", "nyc", "Ultrasound scanner", ("ultrasound",)),
)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A kind of visit. `parameters` are columns of SchedulingParameters, `reasons` what patients write."""

    id: str
    name: str
    comment: str
    parameters: Json
    notice: timedelta
    horizon_days: int
    cancellation: timedelta
    requires: tuple[str, ...] = ("Practitioner",)
    telehealth: bool = False
    eligibility: str = "everyone"
    questionnaire: str = ""
    reasons: tuple[str, ...] = ("",)


SERVICES = (
    Service(
        id="follow-up",
        name="Follow-up visit",
        comment="A short visit about something we already know: results, a prescription, how a treatment is going.",
        parameters={
            "duration": 15,
            "alignment_interval": 15,
            "availability": [open_on(WORKDAYS, "09:00", "17:00")],
        },
        notice=HOUR,
        horizon_days=180,
        cancellation=4 * HOUR,
        eligibility="returning",
        reasons=("Test results", "Blood pressure check", "Medication review", "Repeat prescription", ""),
    ),
    Service(
        id="new-patient",
        name="New patient visit",
        comment="Your first visit with a doctor. Bring a photo ID, your insurance card and a list of your medicines.",
        parameters={
            "duration": 30,
            "buffer_before": 5,
            "buffer_after": 10,
            "alignment_interval": 15,
            "availability": [open_on(WORKDAYS, "09:00", "17:00")],
        },
        notice=4 * HOUR,
        horizon_days=90,
        cancellation=DAY,
        eligibility="new",
        reasons=("New in town", "Back pain", "Headaches", "Annual check-up", ""),
    ),
    Service(
        id="ultrasound",
        name="Ultrasound",
        comment="An abdominal ultrasound. Please eat and drink nothing but water for six hours before it.",
        parameters={
            "duration": 45,
            "buffer_after": 15,
            "alignment_interval": 15,
            "availability": [open_on(WORKDAYS, "08:00", "18:00")],
        },
        notice=DAY,
        horizon_days=60,
        cancellation=2 * DAY,
        requires=("Practitioner", "Location", "Device"),
        reasons=("Gallbladder", "Kidney check", ""),
    ),
    Service(
        id="video-visit",
        name="Video visit",
        comment="See a doctor from home, some nights too. We e-mail you a link; any phone with a camera will do.",
        parameters={
            "duration": 20,
            "alignment_interval": 20,
            "availability": [open_on(WORKDAYS, "09:00", "17:00")],
        },
        notice=timedelta(minutes=15),
        horizon_days=60,
        cancellation=HOUR,
        telehealth=True,
        reasons=("Fever since yesterday", "Rash", "Sore throat", "Cough", ""),
    ),
    Service(
        id="back-class",
        name="Back care class",
        comment="Exercises for a stronger back, in a group of up to eight. Wear something comfortable.",
        parameters={
            "duration": 60,
            "alignment_interval": 60,
            "alignment_offset": 30,
            "slot_capacity": 8,
            "availability": [open_on("mon wed", "17:30", "19:30"), open_on("sat", "10:30", "11:30")],
        },
        notice=2 * HOUR,
        horizon_days=60,
        cancellation=12 * HOUR,
    ),
    Service(
        id="travel-health",
        name="Travel health visit",
        comment="Vaccinations and advice for your journey. Come at least four weeks before you leave.",
        parameters={
            "duration": 30,
            "buffer_after": 5,
            "alignment_interval": 30,
            "availability": [open_on(WORKDAYS, "08:00", "18:00")],
        },
        notice=DAY,
        horizon_days=120,
        cancellation=DAY,
        requires=("Practitioner", "Location"),
        questionnaire="travel-health",
        reasons=("Kenya in spring", "Peru, three weeks", "Vietnam", ""),
    ),
)

QUESTIONNAIRES = (("travel-health", "Before your travel health visit", TRAVEL_HEALTH),)
