"""The demo's practitioners, as tables: what they do, where, when, and when they are not to be had."""

from dataclasses import dataclass, field

from clinic.available_time import RecurringWeeks
from demo.seed.organization import DAY, WORKDAYS, Json, concept, in_weeks, kept, open_on

SNOMED = "http://snomed.info/sct"
FAMILY = concept(SNOMED, "419772000", "Family practice")
INTERNAL = concept(SNOMED, "419192003", "Internal medicine")
DERMATOLOGY = concept(SNOMED, "394582007", "Dermatology")
RADIOLOGY = concept(SNOMED, "394914008", "Radiology")
REHABILITATION = concept(SNOMED, "394602003", "Rehabilitation")

BCP_47 = "urn:ietf:bcp:47"
ENGLISH = concept(BCP_47, "en", "English")
SPANISH = concept(BCP_47, "es", "Spanish")
CHINESE = concept(BCP_47, "zh", "Chinese")
FRENCH = concept(BCP_47, "fr", "French")
GERMAN = concept(BCP_47, "de", "German")
DEGREES = "http://terminology.hl7.org/CodeSystem/v2-0360"
DOCTOR = concept(DEGREES, "MD", "Doctor of Medicine")


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """A practitioner's Schedule at a site. Without `hours` those of each service hold.

    `own` are parameters, by service, in which this practitioner differs. A `role` is an actor of its own. `later` are
    hours that take the place of `hours` in a few weeks.
    """

    id: str
    site: str
    services: tuple[str, ...]
    hours: tuple[Json, ...] = ()
    later: tuple[Json, ...] = ()
    own: dict[str, Json] = field(default_factory=dict)
    role: bool = False


@dataclass(frozen=True, kw_only=True)
class Practitioner:
    id: str
    name: tuple[str, str, str]  # prefix, given, family
    gender: str
    specialty: Json
    languages: tuple[Json, ...] = (ENGLISH,)
    about: str = ""
    qualifications: tuple[Json, ...] = ()
    calendars: tuple[Calendar, ...]


PRACTITIONERS = (
    Practitioner(
        id="chen",
        name=("Dr.", "Mei", "Chen"),
        gender="female",
        specialty=FAMILY,
        languages=(ENGLISH, CHINESE),
        about="Looks after whole families, from the first cold to old age.",
        qualifications=(DOCTOR,),
        calendars=(
            Calendar(id="chen", site="nyc", services=("follow-up", "new-patient", "video-visit", "diabetes-check")),
        ),
    ),
    Practitioner(
        id="okafor",
        name=("Dr.", "Ngozi", "Okafor"),
        gender="female",
        specialty=INTERNAL,
        languages=(ENGLISH, FRENCH),
        about="Knows what travellers need, and why people sleep badly.",
        qualifications=(DOCTOR,),
        calendars=(
            Calendar(
                id="okafor-nyc",
                site="nyc",
                services=("new-patient", "travel-health", "sleep-consultation"),
                hours=(open_on("mon tue", "08:00", "14:00"),),
                later=(open_on("mon", "08:00", "14:00"), open_on("tue", "12:00", "18:00")),
                role=True,
            ),
            Calendar(
                id="okafor-la",
                site="la",
                services=("new-patient", "travel-health", "sleep-consultation"),
                hours=(open_on("thu fri", "09:00", "16:00"),),
                role=True,
            ),
        ),
    ),
    Practitioner(
        id="rossi",
        name=("Dr.", "Marco", "Rossi"),
        gender="male",
        specialty=RADIOLOGY,
        calendars=(
            Calendar(
                id="rossi", site="nyc", services=("ultrasound",), hours=(open_on("mon tue thu fri", "08:00", "15:00"),)
            ),
        ),
    ),
    Practitioner(
        id="haddad",
        name=("Dr.", "Leila", "Haddad"),
        gender="female",
        specialty=DERMATOLOGY,
        languages=(ENGLISH, FRENCH),
        calendars=(
            Calendar(
                id="haddad",
                site="nyc",
                services=("follow-up", "new-patient", "skin-surgery"),
                hours=(
                    open_on("tue", "11:00", "19:00"),
                    in_weeks(open_on("sat", "09:00", "13:00"), RecurringWeeks(nth=(1, 3))),
                ),
                own={
                    "follow-up": {"duration": 20, "alignment_interval": 20},
                    "skin-surgery": {"kept": [kept(open_on("tue", "11:00", "13:00"), DAY)]},
                },
            ),
        ),
    ),
    Practitioner(
        id="novak",
        name=("Dr.", "Jan", "Novak"),
        gender="male",
        specialty=FAMILY,
        languages=(ENGLISH, SPANISH, GERMAN),
        calendars=(
            Calendar(
                id="novak",
                site="nyc",
                services=("video-visit",),
                hours=(open_on("fri sat", "22:00", "06:00"),),
                own={"video-visit": {"buffer_after": 10, "alignment_interval": 30}},
            ),
        ),
    ),
    Practitioner(
        id="nguyen",
        name=("Dr.", "Linh", "Nguyen"),
        gender="female",
        specialty=FAMILY,
        languages=(ENGLISH, SPANISH),
        calendars=(
            Calendar(
                id="nguyen",
                site="la",
                services=("follow-up", "new-patient", "travel-health"),
                hours=(open_on("mon wed", "08:30", "16:30"), open_on("thu", "12:00", "19:00")),
            ),
        ),
    ),
    Practitioner(
        id="silva",
        name=("Dr.", "Rafael", "Silva"),
        gender="male",
        specialty=DERMATOLOGY,
        languages=(ENGLISH, SPANISH),
        calendars=(
            Calendar(
                id="silva",
                site="la",
                services=("follow-up", "new-patient"),
                hours=(open_on("tue fri", "09:00", "13:00"),),
                own={"new-patient": {"duration": 45, "session_limit": 3}},
            ),
        ),
    ),
    Practitioner(
        id="morgan",
        name=("", "Claire", "Morgan"),
        gender="female",
        specialty=REHABILITATION,
        calendars=(
            Calendar(
                id="morgan",
                site="nyc",
                services=("back-class", "new-patient", "physiotherapy"),
                own={"new-patient": {"availability": [open_on("mon wed", "13:00", "17:00")]}},
            ),
        ),
    ),
    Practitioner(
        id="bello",
        name=("", "Amina", "Bello"),
        gender="female",
        specialty=FAMILY,
        languages=(ENGLISH, FRENCH),
        calendars=(Calendar(id="bello", site="la", services=("covid-vaccine",)),),
    ),
)

BLOCKED = (
    # calendar, days, from, to, why
    ("chen", WORKDAYS, "12:00", "13:00", "Lunch"),
    ("chen", "mon tue thu fri", "16:00", "17:00", "Letters and calls"),
    ("chen", "wed", "15:30", "17:00", "Team meeting"),
    ("okafor-nyc", "mon tue", "11:30", "12:00", "Lunch"),
    ("okafor-la", "thu fri", "12:30", "13:00", "Lunch"),
    ("rossi", "mon tue thu fri", "12:00", "12:45", "Lunch"),
    ("haddad", "tue", "14:00", "15:00", "Lunch"),
    ("nguyen", "mon wed", "12:00", "13:00", "Lunch"),
    ("nguyen", "thu", "15:00", "16:00", "Supervision"),
    ("morgan", "mon wed", "12:00", "12:30", "Lunch"),
    ("morgan", "tue thu fri", "12:00", "13:00", "Lunch"),
    ("nyc-imaging-2", "fri", "08:00", "10:00", "Cleaning"),
)

# Calendars that are open on the day the demo is made even where nobody works then, so that the board has visits.
OPEN_TODAY = (
    # calendar, from, to
    ("chen", "09:00", "17:00"),
    ("haddad", "10:00", "18:00"),
    ("nguyen", "09:00", "16:00"),
)
