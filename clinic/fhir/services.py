"""HealthcareService, with the SchedulingParameters that apply to all schedules.

https://hl7.org/fhir/R4/healthcareservice.html
"""

from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError

from clinic.fhir import codes, parameters
from clinic.fhir.datatypes import Json, minutes, read_notice
from clinic.fhir.elements import (
    DAYS,
    LIST,
    MONEY,
    NOTICE,
    VISITS,
    CodeExtensions,
    Conversion,
    Element,
    ReferenceElement,
    ReferenceExtensions,
    ReferenceListElement,
    code,
    flag,
    text,
)
from clinic.fhir.issues import InvalidElement, ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path, extension_path
from clinic.fhir.people import ACTIVE, IDENTIFIER, SPECIALTY
from clinic.fhir.readings import ParametersDraft, Reading
from clinic.fhir.visit_types import APPOINTMENT_TYPE_OF_CODE, appointment_type_coding, read_appointment_type
from clinic.models import HealthcareService, SchedulingParameters
from clinic.models.services import (
    FEWEST_VISITS,
    MOST_DAYS,
    MOST_MINUTES,
    MOST_VISITS,
    MOST_WEEKS,
    OLDEST,
    default_reminders,
)

EligibilityChoice = HealthcareService.Eligibility


def own_parameters(service: HealthcareService) -> SchedulingParameters | None:
    """Return the SchedulingParameters of a service that apply to all schedules, or None."""
    return next((row for row in service.scheduling_parameters.all() if row.schedule_id is None), None)


class ServiceParameters:
    """The SchedulingParameters extension of a service."""

    def take(self, reading: Reading) -> None:
        sent = [
            (extension, f"extension[{n}]")
            for n, extension in enumerate(reading.resource.get("extension", ()))
            if extension["url"] == codes.SCHEDULING_PARAMETERS
        ]
        for extension, path in sent[:1]:
            parameters.refuse_on_service(extension, path, reading.refuse_element)
            fields = parameters.read_attributes(extension, path, reading.refuse_element)
            _own_draft(reading).fields.update(fields)
        for _, path in sent[1:]:
            error = InvalidElement("HealthcareService has too many scheduling parameters extensions")
            reading.refuse_element(error, path)

    def give(self, row: HealthcareService, resource: Json) -> None:
        own = own_parameters(row)
        parameters.give(resource, [own] if own else [])


@dataclass(frozen=True)
class ServiceHours:
    """The hours of a service: `availableTime` or `notAvailable`, with the column of its parameters."""

    element: str
    column: str

    def take(self, reading: Reading) -> None:
        if not (sent := reading.resource.get(self.element)):
            return
        value = self._read(sent, reading.refuse_element)
        _own_draft(reading).fields[self.column] = value
        if value == sent:
            del reading.resource[self.element]

    def give(self, row: HealthcareService, resource: Json) -> None:
        own = own_parameters(row)
        value = getattr(own, self.column) if own else None
        sent = resource.get(self.element, [])
        if self._read(sent, parameters.ignore_refusal) != (value or []):
            resource[self.element] = value

    def _read(self, sent: list[Json], refuse: parameters.Refuse) -> list[Json]:
        read = parameters.read_windows if self.column == "availability" else parameters.read_closed
        return read(((f"{self.element}[{n}]", entry) for n, entry in enumerate(sent)), refuse)


def _own_draft(reading: Reading) -> ParametersDraft:
    if not reading.draft.parameters:
        reading.draft.parameters.append(ParametersDraft("self", parameters.unset()))
    return reading.draft.parameters[0]


class EligibilityElement(Element):
    """Code of this product in HealthcareService.eligibility: new or returning patients; everyone if there is none."""

    def read(self, sent: list[Json] | None) -> str:
        first = next((coding["code"] for coding in _eligibilities(sent) if "code" in coding), None)
        return str(code(EligibilityChoice, EligibilityChoice.EVERYONE).read(first))

    def write(self, value: str, sent: list[Json] | None) -> list[Json] | None:
        others = [requirement for requirement in sent or () if not _eligibilities([requirement])]
        if value == EligibilityChoice.EVERYONE:
            return others or None
        coding = {"system": codes.ELIGIBILITY, "code": value, "display": EligibilityChoice(value).display}
        return [*others, {"code": {"coding": [coding]}}]


def _eligibilities(sent: list[Json] | None) -> list[Json]:
    return [
        coding
        for requirement in sent or ()
        for coding in requirement.get("code", {}).get("coding", ())
        if coding.get("system") == codes.ELIGIBILITY
    ]


class RemindersElement(Element):
    """The reminders of a service: extensions with a Duration; NO_REMINDERS for none, no extension for the default."""

    def read(self, sent: list[Json] | None) -> list[timedelta]:
        own = [(n, extension) for n, extension in enumerate(sent or ()) if extension["url"] == codes.REMINDER]
        if not own:
            return default_reminders()
        return [_reminder(extension["valueDuration"], n) for n, extension in own if "valueDuration" in extension]

    def write(self, value: list[timedelta], sent: list[Json] | None) -> list[Json] | None:
        others = [extension for extension in sent or () if extension["url"] != codes.REMINDER]
        if value == default_reminders():
            return others or None
        own: list[Json] = [
            {"url": codes.REMINDER, "valueDuration": minutes(length // timedelta(minutes=1))} for length in value
        ]
        return [*others, *(own or [NO_REMINDERS])]


def _reminder(duration: Json, n: int) -> timedelta:
    try:
        notice = read_notice(duration)
    except InvalidElement as error:
        raise InvalidElement(error.text, error.code, f"[{n}].valueDuration{error.at}") from None
    if not notice:
        raise InvalidElement("A reminder comes before the visit.", at=f"[{n}].valueDuration.value")
    return notice


NO_REMINDERS = {"url": codes.REMINDER, "valueCode": "none"}


def _age(value: int | None) -> int | None:
    if value is not None and value > OLDEST:
        raise InvalidElement(f"An age limit is {OLDEST} years at most.")
    return value


def _number(least: int, most: int, default: int | None) -> Conversion:
    """A whole number from `least` to `most`; without it, and then not written, the default."""

    def read(value: int | None) -> int | None:
        if value is not None and not least <= value <= most:
            raise InvalidElement(f"It is a number from {least} to {most}.")
        return default if value is None else value

    return Conversion(read, lambda value: None if value == default else value)


COURSE_VISITS = _number(FEWEST_VISITS, MOST_VISITS, None)
COURSE_WEEKS = _number(1, MOST_WEEKS, 1)
COURSE_DAYS = _number(1, MOST_DAYS, 1)
WAITLIST_MINUTES = _number(1, MOST_MINUTES, None)


def _percent(value: int | None) -> int:
    if value is not None and value > 100:
        raise InvalidElement("A refund is 100 percent at most.")
    return value or 0


PERCENT = Conversion(_percent)
REFUND_NOTICE = Conversion(
    lambda value: read_notice(value) if value else None,
    lambda value: None if value is None else minutes(value // timedelta(minutes=1)),
)
RECALL_MONTHS = _number(1, 120, None)
AGE = Conversion(_age, lambda value: value)
PATIENTS = HealthcareService.BookableBy.PATIENTS
BOOKABLE_BY = Conversion(
    code(HealthcareService.BookableBy, PATIENTS).read, lambda value: None if value == PATIENTS else value
)
ON_BY_DEFAULT = Conversion(flag(default=True).read, lambda value: None if value else False)
LONGEST = HealthcareService.WaitlistOrder.LONGEST
WAITLIST_ORDER = Conversion(
    code(HealthcareService.WaitlistOrder, LONGEST).read, lambda value: None if value == LONGEST else value
)
APPOINTMENT_TYPE = Conversion(
    read_appointment_type, lambda code: appointment_type_coding(APPOINTMENT_TYPE_OF_CODE[code]) if code else None
)
SERVICE = (
    ACTIVE,
    IDENTIFIER,
    SPECIALTY,
    Element(Path("name"), "name", text(200)),
    Element(Path("comment"), "comment", text()),
    Element(Path("extraDetails"), "preparation", text()),
    Element(Path("type"), "type", LIST),
    EligibilityElement(Path("eligibility"), "eligibility", LIST),
    ReferenceElement(Path("providedBy", "reference"), "organization", types=("Organization",)),
    ReferenceListElement(Path("location"), "locations", types=("Location",)),
    Element(extension_path(codes.APPOINTMENT_TYPE, "valueCoding"), "appointment_type", APPOINTMENT_TYPE),
    Element(extension_path(codes.BOOKABLE_BY, "valueCode"), "bookable_by", BOOKABLE_BY),
    Element(extension_path(codes.ON_REQUEST, "valueBoolean"), "on_request", flag(default=False)),
    Element(extension_path(codes.TELEHEALTH, "valueBoolean"), "telehealth", flag(default=False)),
    Element(extension_path(codes.NAMED_IN_EMAIL, "valueBoolean"), "named_in_email", ON_BY_DEFAULT),
    Element(extension_path(codes.MINIMUM_NOTICE, "valueDuration"), "minimum_notice", NOTICE),
    Element(extension_path(codes.CANCELLATION_NOTICE, "valueDuration"), "cancellation_notice", NOTICE),
    Element(extension_path(codes.BOOKING_HORIZON_DAYS, "valueUnsignedInt"), "booking_horizon_days", DAYS),
    Element(extension_path(codes.VISITS_PER_DAY, "valuePositiveInt"), "total_day_limit", VISITS),
    Element(extension_path(codes.VISITS_PER_WEEK, "valuePositiveInt"), "total_week_limit", VISITS),
    Element(extension_path(codes.NEW_PATIENTS_PER_DAY, "valuePositiveInt"), "new_patient_limit", VISITS),
    Element(extension_path(codes.PATIENT_VISITS_TO_COME, "valuePositiveInt"), "patient_limit", VISITS),
    Element(extension_path(codes.PATIENT_VISITS_PER_WEEK, "valuePositiveInt"), "patient_week_limit", VISITS),
    Element(extension_path(codes.COURSE_VISITS_AT_MOST, "valuePositiveInt"), "course_limit", COURSE_VISITS),
    Element(extension_path(codes.COURSE_VISITS, "valuePositiveInt"), "course_visits", COURSE_VISITS),
    Element(extension_path(codes.COURSE_WEEKS, "valuePositiveInt"), "course_weeks", COURSE_WEEKS),
    Element(extension_path(codes.COURSE_DAYS, "valuePositiveInt"), "course_days", COURSE_DAYS),
    Element(extension_path(codes.HAS_WAITLIST, "valueBoolean"), "has_waitlist", ON_BY_DEFAULT),
    Element(extension_path(codes.WAITLIST_ORDER, "valueCode"), "waitlist_order", WAITLIST_ORDER),
    Element(extension_path(codes.WAITLIST_MINUTES, "valuePositiveInt"), "waitlist_minutes", WAITLIST_MINUTES),
    Element(extension_path(codes.RECALL_MONTHS, "valuePositiveInt"), "recall_months", RECALL_MONTHS),
    Element(extension_path(codes.MINIMUM_AGE, "valueUnsignedInt"), "minimum_age", AGE),
    Element(extension_path(codes.MAXIMUM_AGE, "valueUnsignedInt"), "maximum_age", AGE),
    Element(extension_path(codes.PRICING, "valueCode"), "pricing", code(HealthcareService.Pricing)),
    Element(extension_path(codes.PRICE, "valueMoney"), "price", MONEY),
    Element(extension_path(codes.HIGHEST_PRICE, "valueMoney"), "price_to", MONEY),
    Element(extension_path(codes.PREPAYMENT, "valueCode"), "prepayment", code(HealthcareService.Prepayment)),
    Element(extension_path(codes.DEPOSIT, "valueMoney"), "deposit", MONEY),
    Element(extension_path(codes.MISSED_FEE, "valueMoney"), "missed_fee", MONEY),
    Element(extension_path(codes.REFUND_NOTICE, "valueDuration"), "refund_notice", REFUND_NOTICE),
    Element(extension_path(codes.LATE_REFUND, "valueUnsignedInt"), "late_refund", PERCENT),
    Element(extension_path(codes.PAYMENT_TERMS, "valueString"), "payment_terms", text()),
    CodeExtensions(Path("extension"), "requires", LIST, url=codes.REQUIRES, codes=HealthcareService.ActorType),
    ReferenceExtensions(Path("extension"), "questionnaires", url=codes.QUESTIONNAIRE, types=("Questionnaire",)),
    Element(
        extension_path(codes.REQUIRES_QUESTIONNAIRES, "valueBoolean"), "requires_questionnaires", flag(default=False)
    ),
    Element(extension_path(codes.REQUIRES_COVERAGE, "valueBoolean"), "requires_coverage", flag(default=False)),
    Element(
        extension_path(codes.REQUIRES_VERIFIED_COVERAGE, "valueBoolean"),
        "requires_verified_coverage",
        flag(default=False),
    ),
    Element(extension_path(codes.REQUIRES_CARE_TEAM, "valueBoolean"), "requires_care_team", flag(default=False)),
    RemindersElement(Path("extension"), "reminders", LIST),
    ServiceParameters(),
    ServiceHours("availableTime", "availability"),
    ServiceHours("notAvailable", "not_available"),
)


def check_constraints(reading: Reading) -> None:
    """Add an issue for each rule of the table that the columns break together, such as a minimum age above the
    maximum.
    """
    if reading.issues:
        return
    service = HealthcareService(**reading.draft.fields)
    for constraint in HealthcareService._meta.constraints:
        try:
            constraint.validate(HealthcareService, service)
        except ValidationError as error:
            reading.refuse(ResourceIssue("business-rule", error.messages[0], "HealthcareService"))


KINDS = {
    "HealthcareService": ResourceKind(
        HealthcareService,
        writer(SERVICE),
        reader("HealthcareService", SERVICE, check_constraints),
        related=("organization",),
        prefetch=("locations", "questionnaires", "scheduling_parameters"),
    ),
}
