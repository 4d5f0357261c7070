"""StructureDefinitions of our extensions: https://hl7.org/fhir/R4/structuredefinition.html"""

from dataclasses import dataclass

from api.conformance.definitions import definition
from clinic.available_time import AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE
from clinic.fhir import codes
from clinic.fhir.datatypes import Json

BASE = "http://hl7.org/fhir/StructureDefinition/Extension"


@dataclass(frozen=True)
class Extension:
    """Definition of an extension. `on` are the elements that can have it, `types` the types of its value; none if it
    has extensions instead.
    """

    url: str
    on: tuple[str, ...]
    types: tuple[str, ...]
    text: str


SERVICE = ("HealthcareService",)
EXTENSIONS = (
    Extension(
        codes.REQUIRES,
        SERVICE,
        ("code",),
        "A type of actor whose time a visit takes: Practitioner, Location or Device. Repeated for each type.",
    ),
    Extension(codes.MINIMUM_NOTICE, SERVICE, ("Duration",), "How long before it starts a visit can last be booked."),
    Extension(
        codes.CANCELLATION_NOTICE, SERVICE, ("Duration",), "How long before it starts patients can last cancel a visit."
    ),
    Extension(codes.BOOKING_HORIZON_DAYS, SERVICE, ("unsignedInt",), "How many days ahead visits can be booked."),
    Extension(
        codes.VISITS_PER_DAY,
        (*SERVICE, "Schedule"),
        ("positiveInt",),
        "The most visits a day: of a service on all its Schedules, or of all services on a Schedule.",
    ),
    Extension(
        codes.VISITS_PER_WEEK, (*SERVICE, "Schedule"), ("positiveInt",), "The same from Monday to Sunday of a week."
    ),
    Extension(
        codes.NEW_PATIENTS_PER_DAY, SERVICE, ("positiveInt",), "The most patients a day who have not been here before."
    ),
    Extension(codes.PATIENT_VISITS_TO_COME, SERVICE, ("positiveInt",), "The most visits to come that one patient has."),
    Extension(codes.PATIENT_VISITS_PER_WEEK, SERVICE, ("positiveInt",), "The most visits of one patient in a week."),
    Extension(
        codes.COURSE_VISITS_AT_MOST,
        SERVICE,
        ("positiveInt",),
        "The most visits that a patient books at once as a course; without it one at a time.",
    ),
    Extension(codes.COURSE_VISITS, SERVICE, ("positiveInt",), "The number of visits that is suggested for a course."),
    Extension(
        codes.COURSE_WEEKS, SERVICE, ("positiveInt",), "The weeks between its visits that are suggested; by default 1."
    ),
    Extension(
        codes.COURSE_DAYS,
        SERVICE,
        ("positiveInt",),
        "The least days between its visits if they are as close together as possible; by default 1.",
    ),
    Extension(
        codes.HAS_WAITLIST, SERVICE, ("boolean",), "Whether patients can join its waiting list; by default, yes."
    ),
    Extension(
        codes.WAITLIST_ORDER,
        SERVICE,
        ("code",),
        "Who is asked first when a time comes free: `longest` waiting, most `urgent`, or who has a visit `booked`.",
    ),
    Extension(
        codes.WAITLIST_MINUTES, SERVICE, ("positiveInt",), "How long a time that came free is kept for one person."
    ),
    Extension(codes.MINIMUM_AGE, SERVICE, ("unsignedInt",), "The age of its youngest patients on its day, in years."),
    Extension(codes.MAXIMUM_AGE, SERVICE, ("unsignedInt",), "The age of its oldest patients on its day, in years."),
    Extension(codes.PRICING, SERVICE, ("code",), "The kind of its price: `fixed`, `range`, `free` or `covered`."),
    Extension(codes.PRICE, SERVICE, ("Money",), "Its price, or its lowest, in the clinic's currency."),
    Extension(codes.HIGHEST_PRICE, SERVICE, ("Money",), "Its highest price, if it is a range."),
    Extension(
        codes.PREPAYMENT,
        SERVICE,
        ("code",),
        "What patients give before they can book it: `whole` price, `deposit`, or a `card` that is kept.",
    ),
    Extension(codes.DEPOSIT, SERVICE, ("Money",), "The deposit before booking."),
    Extension(codes.MISSED_FEE, SERVICE, ("Money",), "The fee for a missed visit, for which a card is kept."),
    Extension(
        codes.REFUND_NOTICE, SERVICE, ("Duration",), "How long before it starts a cancellation refunds everything."
    ),
    Extension(codes.LATE_REFUND, SERVICE, ("unsignedInt",), "What a later cancellation refunds, in percent."),
    Extension(codes.PAYMENT_TERMS, SERVICE, ("string",), "The clinic's own terms of payment."),
    Extension(
        codes.RECALL_MONTHS,
        SERVICE,
        ("positiveInt",),
        "After how many months a patient is to be seen again who has been to a visit; without it nobody is told.",
    ),
    Extension(
        codes.BOOKABLE_BY,
        SERVICE,
        ("code",),
        "Who can book it: `patients` (and staff), `referred` patients, or only `staff`.",
    ),
    Extension(
        codes.APPOINTMENT_TYPE,
        SERVICE,
        ("Coding",),
        "The type of its appointments, of v2-0276 or Argonaut's appt-type: Slot.appointmentType of its free times.",
    ),
    Extension(codes.NAMED_IN_EMAIL, SERVICE, ("boolean",), "Whether emails name the service; by default they do."),
    Extension(
        codes.ON_REQUEST, SERVICE, ("boolean",), "Patients request a visit, and the clinic accepts or declines it."
    ),
    Extension(codes.TELEHEALTH, SERVICE, ("boolean",), "The visit is a video call."),
    Extension(codes.QUESTIONNAIRE, SERVICE, ("Reference",), "A Questionnaire that is answered before the visit."),
    Extension(
        codes.REQUIRES_QUESTIONNAIRES, SERVICE, ("boolean",), "Its Questionnaires must be answered before it is booked."
    ),
    Extension(codes.REQUIRES_COVERAGE, SERVICE, ("boolean",), "Patients need an active Coverage to book it."),
    Extension(
        codes.REQUIRES_VERIFIED_COVERAGE, SERVICE, ("boolean",), "Patients need an active Coverage that is verified."
    ),
    Extension(
        codes.ACCEPTED_FOR_SERVICE,
        ("InsurancePlan",),
        ("Reference",),
        "A HealthcareService for which the clinic accepts the plan. Repeated; for all without one.",
    ),
    Extension(
        codes.ACCEPTED_AT_SITE,
        ("InsurancePlan",),
        ("Reference",),
        "A Location, a site, at which the clinic accepts the plan. Repeated; at all without one.",
    ),
    Extension(
        codes.COVERAGE_VERIFICATION,
        ("Coverage",),
        ("code",),
        "The clinic's check: `verified` or `rejected`; neither before it. Only the clinic writes it.",
    ),
    Extension(codes.COVERAGE_REJECTION, ("Coverage",), ("string",), "Why the clinic has rejected it."),
    Extension(
        codes.REQUIRES_CARE_TEAM, SERVICE, ("boolean",), "Only practitioners of the patient's CareTeam can be booked."
    ),
    Extension(
        codes.REMINDER,
        SERVICE,
        ("Duration", "code"),
        "How long before the visit a reminder is sent, one extension for each; or the code `none`.",
    ),
    Extension(
        codes.INTERPRETER_LANGUAGE,
        ("Patient",),
        ("code",),
        "The interpreter's language, beside the extension patient-interpreterRequired; `sgn` for a sign language.",
    ),
    Extension(
        codes.RETURNING,
        ("Patient",),
        ("boolean",),
        "A returning patient, even without an earlier visit in this system. Only the clinic writes it.",
    ),
    Extension(codes.ABOUT, ("Practitioner",), ("string",), "A few words about the practitioner, for patients."),
    Extension(
        codes.ABOUT_TRANSLATION, ("Practitioner",), (), "These words in another language: its `lang` and the `content`."
    ),
    Extension(
        codes.CARER_ACCESS,
        ("RelatedPerson",),
        ("code",),
        "The part of the record that the patient shares with the carer: `all`, or `visits` to see and book them.",
    ),
    Extension(
        codes.KEEPS_ACCESS,
        ("RelatedPerson",),
        ("boolean",),
        "Whether a parent\u2019s access stays when the child becomes an adult; by default it ends on that birthday.",
    ),
    Extension(codes.MEETING_URL, ("Schedule",), ("url",), "The address of its video calls."),
    Extension(
        codes.SITE, ("Schedule",), ("Reference",), "The site: the Location whose front desk manages the Schedule."
    ),
    Extension(codes.APPOINTMENT, ("QuestionnaireResponse",), ("Reference",), "The Appointment that it is for."),
    Extension(codes.HOLD_EXPIRES, ("Appointment",), ("instant",), "Until when the time is held. Read only."),
    Extension(
        codes.SERIES_OCCURRENCE,
        ("Appointment",),
        (),
        "A visit of a series that differs from its recurrenceTemplate: its `recurrenceId`; in a proposal the time in"
        " `conflict` and each `alternative`, in a booking the `start` that was chosen.",
    ),
    Extension(
        codes.MERGED_PATIENT,
        ("Appointment",),
        ("Reference",),
        "The Patient of the request, whose record was merged into that of the visit's patient.",
    ),
    Extension(
        codes.BOOKING_SOURCE,
        ("Appointment",),
        ("string",),
        "The source of the booking, from the link that the patient followed.",
    ),
    Extension(codes.BOOKING_REFERRAL, ("Appointment",), ("string",), "The source's own reference for the booking."),
    Extension(
        codes.PATIENT_TIMEZONE, ("Appointment",), ("code",), "The zone in which the patient reads a video visit."
    ),
    Extension(
        codes.WAITLIST_PREFERENCES,
        ("Appointment",),
        (),
        "The times that a patient on the waiting list would take: extensions `weekday`, `partOfDay` (`morning`,"
        " `afternoon`, `evening`) and `medium` (`email`, `sms`) with a code, any number of each, and `noticeHours` with"
        " an unsignedInt.",
    ),
    Extension(
        AVAILABILITY_PERIOD,
        ("Extension", "HealthcareService.availableTime"),
        ("Period",),
        "The days between which these opening hours hold.",
    ),
    Extension(
        codes.EXTRA_VISITS_PER_DAY,
        ("Schedule",),
        ("unsignedInt",),
        "How many extra visits staff may book in a day on the Schedule at times that are taken; without it, as many as"
        " the clinic allows.",
    ),
    Extension(
        codes.SESSION_LIMIT,
        ("Extension",),
        ("positiveInt",),
        "How many visits of the service may begin in one spell of the hours of a Schedule, such as a morning.",
    ),
    Extension(
        codes.NEW_PATIENT_SESSION_LIMIT,
        ("Extension",),
        ("positiveInt",),
        "How many visits of the service by patients who have not been here before may begin in one spell of the hours"
        " of a Schedule, such as a morning.",
    ),
    Extension(
        codes.KEPT_TIME,
        ("Extension",),
        (),
        "Time that is kept for the service of these SchedulingParameters, on the Schedule or on all that offer it: an"
        " extension `availableTime` as in the `availability` of a Schedule and, if what is left is opened to all"
        " services, `releasedBefore` with a Duration.",
    ),
    Extension(
        AVAILABILITY_RECURRENCE,
        ("Extension", "HealthcareService.availableTime"),
        (),
        "The weeks in which these opening hours recur: every `weekInterval` weeks (a positiveInt), counted from the"
        " `week` that has a date; or any number of `nthWeekOfMonth` (`first`, `second`, `third`, `fourth`, `last`): of"
        " hours on Mondays, the first Monday of each month.",
    ),
    Extension(
        codes.RED_FLAG,
        ("Questionnaire.item", "Questionnaire.item.answerOption"),
        ("string",),
        "This answer is an alarm. The text says what to do.",
    ),
    Extension(
        codes.TYPED,
        ("QuestionnaireResponse.item.answer",),
        (),
        "Typed text that is not a valid answer yet: an extension with a string for each part.",
    ),
)


def structure_definitions(base: str) -> list[Json]:
    return [_definition(each) for each in EXTENSIONS]


def _definition(extension: Extension) -> Json:
    """Return the definition. Its elements keep the order in which FHIR defines them."""
    types = extension.types
    return {
        **definition("StructureDefinition", extension.url.rpartition("/")[2], extension.url, extension.text),
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": element} for element in extension.on],
        "type": "Extension",
        "baseDefinition": BASE,
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Extension", "path": "Extension", "definition": extension.text},
                {"id": "Extension.extension", "path": "Extension.extension", **({"max": "0"} if types else {"min": 1})},
                {"id": "Extension.url", "path": "Extension.url", "fixedUri": extension.url},
                {
                    "id": "Extension.value[x]",
                    "path": "Extension.value[x]",
                    **(_one_of(types) if types else {"max": "0"}),
                },
            ]
        },
    }


def _one_of(types: tuple[str, ...]) -> Json:
    return {"min": 1, "type": [{"code": each} for each in types]}
