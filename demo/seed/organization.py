"""The demo's clinic, as tables. The first column is the FHIR id; times of day are those on the site's wall."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from clinic.available_time import AVAILABILITY_PERIOD, RecurringWeeks, recurrence_extension
from demo.seed.questionnaire import TRAVEL_HEALTH

Json = dict[str, Any]

CODES = "https://riverside.example/CodeSystem/visit-types"
IDENTIFIERS = "https://riverside.example/identifiers"
VIDEO_ROOMS = "https://video.example/riverside"

WORKDAYS = "mon tue wed thu fri"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def open_on(days: str, opens: str, closes: str) -> Json:
    """One window of FHIR's availableTime; closing at or before opening is on the next day."""
    return {
        "daysOfWeek": days.split(),
        "availableStartTime": f"{opens}:00",
        "availableEndTime": f"{closes}:00",
    }


def during(window: Json, **period: date) -> Json:
    """The same window, counting only from `start` to `end`, or as far as they are given."""
    days = {name: day.isoformat() for name, day in period.items()}
    return {"extension": [{"url": AVAILABILITY_PERIOD, "valuePeriod": days}], **window}


def in_weeks(window: Json, weeks: RecurringWeeks) -> Json:
    """The same window, in some weeks only."""
    return {"extension": recurrence_extension(weeks), **window}


def kept(window: Json, released_before: timedelta) -> Json:
    """Time that a calendar keeps for a service, released so long before it begins."""
    return {"availableTime": window, "releasedBefore": released_before // timedelta(minutes=1)}


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


# Public holidays on which the demo clinic is closed, by their English names.
HOLIDAYS = ("New Year's Day", "Independence Day", "Christmas Day")

ORGANIZATION = ("riverside", "Riverside Clinic")

# Of vaccinations against COVID-19, by which aggregators of free times know the service and the places that give them.
VACCINATION = (
    {"system": "http://terminology.hl7.org/CodeSystem/service-type", "code": "57", "display": "Immunization"},
    {
        "system": "http://fhir-registry.smarthealthit.org/CodeSystem/service-type",
        "code": "covid19-immunization",
        "display": "COVID-19 Immunization Appointment",
    },
)
VACCINATORS = {"la": {"system": "https://cdc.gov/vaccines/programs/vtrcks", "value": "RIVERSIDE02"}}

DIRECTIONS = {
    "nyc": "Take the 1 train to 96th Street. The entrance has a ramp; parking is behind the house.",
}
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
    # id, site, name, the services that need it, what it offers
    ("nyc-exam-1", "nyc", "Exam room 1, New York", ("travel-health",), ()),
    ("nyc-imaging-1", "nyc", "Imaging room 1", ("ultrasound",), ()),
    ("nyc-imaging-2", "nyc", "Imaging room 2", ("ultrasound",), ("induction-loop",)),
    ("la-exam-1", "la", "Exam room 1, Los Angeles", ("travel-health",), ("step-free",)),
    ("la-exam-2", "la", "Exam room 2, Los Angeles", ("travel-health",), ("step-free", "quiet")),
)

INSURANCE_PLANS = (
    # id, payer, name, the services and the sites for which the clinic accepts it; none: all
    ("harbor-standard", "Harbor Health Plan", "Standard plan", (), ()),
    ("empire-basic", "Empire Mutual", "Basic", ("follow-up", "new-patient", "video-visit"), ()),
    ("empire-city", "Empire Mutual", "City", (), ("nyc",)),
)

DEVICES = (
    # id, where it stands, site, name, the services that need it
    ("ultrasound-1", "nyc-imaging-1", "nyc", "Ultrasound scanner", ("ultrasound",)),
)


@dataclass(frozen=True, kw_only=True)
class ServiceRow:
    """A kind of visit. `parameters` are columns of SchedulingParameters, `reasons` what patients write.

    `needs` names what must be there before it can be booked: coverage, questionnaires, care_team; `codings` what others
    call it. `price` is its kind, and its amount or amounts in cents; `payment` are the columns of what is paid before
    it is booked. `course` says how many visits can be booked at once, how many are as a rule, and how many days lie
    between them at least.
    """

    id: str
    name: str
    comment: str
    preparation: str = ""
    price: tuple[str, *tuple[int, ...]] = ("",)
    payment: Json = field(default_factory=dict)
    parameters: Json
    notice: timedelta
    horizon_days: int
    cancellation: timedelta
    requires: tuple[str, ...] = ("Practitioner",)
    telehealth: bool = False
    eligibility: str = "everyone"
    minimum_age: int | None = None
    course: tuple[int, int, int] | None = None
    bookable_by: str = "patients"
    questionnaire: str = ""
    needs: tuple[str, ...] = ()
    codings: tuple[Json, ...] = ()
    reasons: tuple[str, ...] = ("",)


def price_columns(price: tuple[str, *tuple[int, ...]]) -> Json:
    """The columns of a price."""
    return dict(zip(("pricing", "price", "price_to"), price, strict=False))


def course_columns(course: tuple[int, int, int] | None) -> Json:
    """The columns of a course."""
    return dict(zip(("course_limit", "course_visits", "course_days"), course or (), strict=False))


SERVICES = (
    ServiceRow(
        id="follow-up",
        name="Follow-up visit",
        comment="A short visit about something we already know: results, a prescription, how a treatment is going.",
        preparation="Bring your medicines, or a list of them, and any results from other doctors.",
        price=("fixed", 9000),
        parameters={
            "duration": 15,
            "alignment_interval": 15,
            "availability": [open_on(WORKDAYS, "09:00", "17:00")],
        },
        notice=HOUR,
        horizon_days=180,
        cancellation=4 * HOUR,
        reasons=("Test results", "Blood pressure check", "Medication review", "Repeat prescription", ""),
    ),
    ServiceRow(
        id="new-patient",
        name="New patient visit",
        comment="Your first visit with a doctor: time to get to know you, your history and what brings you here.",
        preparation=(
            "Bring a photo ID, your insurance card and a list of your medicines."
            " Please come ten minutes early, so that we can set up your record."
        ),
        price=("range", 18000, 24000),
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
    ServiceRow(
        id="ultrasound",
        name="Ultrasound",
        comment="An abdominal ultrasound. It does not hurt, and needs an empty stomach.",
        preparation=(
            "Eat nothing for six hours before the visit, and drink only water."
            " Take your medicines as usual, with a sip of water. Wear something that opens at the waist."
        ),
        price=("covered",),
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
    ServiceRow(
        id="video-visit",
        name="Video visit",
        comment="See a doctor from home, some nights too. Any phone or computer with a camera will do.",
        preparation=(
            "Find a quiet place with good light, and a good connection. The page of your visit has the link to the"
            " video room; it opens ten minutes before the start."
        ),
        price=("fixed", 6500),
        payment={"prepayment": "whole"},
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
    ServiceRow(
        id="back-class",
        name="Back care class",
        comment="Exercises for a stronger back, in a group of up to eight.",
        preparation="Wear something comfortable and bring a towel. Please do not eat a large meal just before.",
        price=("free",),
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
    ServiceRow(
        id="travel-health",
        name="Travel health visit",
        comment="Vaccinations and advice for your journey. Come at least four weeks before you leave.",
        preparation="Bring your vaccination record, if you have one, and your travel plan.",
        price=("range", 4500, 16000),
        payment={"prepayment": "deposit", "deposit": 3000, "late_refund": 50},
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
    ServiceRow(
        id="diabetes-check",
        name="Diabetes check",
        comment="The regular check with the people who look after your diabetes.",
        preparation="Eat and take your medicines as usual. Bring your meter, or your notes of the last two weeks.",
        parameters={
            "duration": 30,
            "alignment_interval": 30,
            "availability": [open_on("tue thu", "09:00", "12:00")],
        },
        notice=DAY,
        horizon_days=180,
        cancellation=DAY,
        eligibility="returning",
        needs=("care_team",),
        reasons=("Three months check", "New meter", ""),
    ),
    ServiceRow(
        id="physiotherapy",
        name="Physiotherapy",
        comment="One to one, for joints, back and shoulders, and after operations.",
        preparation="Wear something you can move in. Bring the referral and pictures, if you have any.",
        price=("covered",),
        course=(12, 6, 2),
        parameters={
            "duration": 45,
            "alignment_interval": 15,
            "availability": [open_on(WORKDAYS, "08:00", "12:00"), open_on("tue thu fri", "13:00", "17:00")],
        },
        notice=4 * HOUR,
        horizon_days=90,
        cancellation=DAY,
        needs=("coverage",),
        reasons=("Shoulder, after the operation", "Knee", "Lower back", ""),
    ),
    ServiceRow(
        id="sleep-consultation",
        name="Sleep consultation",
        comment="If you sleep badly, snore, or are tired all day. A few questions come first.",
        preparation="Note for a week when you went to bed, fell asleep and woke up, and bring your notes.",
        payment={"prepayment": "card", "missed_fee": 4000},
        parameters={
            "duration": 30,
            "alignment_interval": 30,
            "availability": [open_on(WORKDAYS, "08:00", "18:00")],
        },
        notice=DAY,
        horizon_days=90,
        cancellation=DAY,
        questionnaire="sleep",
        needs=("questionnaires",),
        reasons=("Snoring", "Awake at four every night", ""),
    ),
    ServiceRow(
        id="skin-surgery",
        name="Minor skin surgery",
        comment="Taking away a mole or a cyst, under local anaesthetic. Your doctor refers you to us.",
        preparation="Tell us if you take blood thinners. Eat as usual. Do not plan sports for the week after.",
        parameters={
            "duration": 40,
            "buffer_before": 10,
            "buffer_after": 10,
            "alignment_interval": 20,
            "availability": [open_on(WORKDAYS, "09:00", "17:00")],
        },
        notice=2 * DAY,
        horizon_days=90,
        cancellation=2 * DAY,
        bookable_by="referred",
        reasons=("Mole on the back", "Cyst", ""),
    ),
    ServiceRow(
        id="covid-vaccine",
        name="COVID-19 vaccine",
        comment="The vaccine of this season.",
        minimum_age=12,
        preparation="Bring your vaccination record, if you have one. Wear something with short sleeves.",
        price=("free",),
        parameters={
            "duration": 10,
            "buffer_after": 5,
            "alignment_interval": 15,
            "availability": [open_on("wed sat", "10:00", "14:00")],
        },
        notice=HOUR,
        horizon_days=60,
        cancellation=2 * HOUR,
        codings=VACCINATION,
        reasons=("",),
    ),
)

CHANCES = ("Never", "Seldom", "Often", "Nearly always")
SLEEP: list[Json] = [
    {
        "linkId": "hours",
        "type": "integer",
        "text": "How many hours do you sleep on most nights?",
        "required": True,
        "extension": [
            {"url": f"http://hl7.org/fhir/StructureDefinition/{name}", "valueInteger": value}
            for name, value in (("minValue", 0), ("maxValue", 24))
        ],
    },
    {"linkId": "snores", "type": "boolean", "text": "Do you snore, as far as you know?", "required": True},
    {
        "linkId": "dozes",
        "type": "choice",
        "text": "How often do you doze off while you sit and read?",
        "required": True,
        "answerOption": [{"valueString": each} for each in CHANCES],
    },
    {"linkId": "since", "type": "string", "text": "Since when do you sleep badly?", "maxLength": 100},
]

QUESTIONNAIRES = (
    ("travel-health", "Before your travel health visit", TRAVEL_HEALTH),
    ("sleep", "About your sleep", SLEEP),
)
