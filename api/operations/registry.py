"""Definitions of the operations: https://hl7.org/fhir/R4/operationdefinition.html"""

from dataclasses import dataclass


@dataclass(frozen=True)
class OperationParameter:
    """A parameter of an operation: https://hl7.org/fhir/R4/operationdefinition-definitions.html

    `type` is a data type or a type of resource; `search` says how a string is to be read ("token", "string").
    """

    name: str
    type: str
    documentation: str
    min: int = 0
    max: str = "1"
    use: str = "in"
    search: str = ""


@dataclass(frozen=True)
class Operation:
    """An operation on the system (no resource), on a type (`Appointment/$find`) or on an instance (`[id]/$cancel`).

    `standard` is the canonical URL of its definition if that is not ours.
    """

    name: str
    resource: str = "Appointment"
    methods: tuple[str, ...] = ("POST",)
    on_type: bool = False
    on_instance: bool = False
    affects_state: bool = True
    documentation: str = ""
    parameters: tuple[OperationParameter, ...] = ()
    standard: str = ""

    @property
    def id(self) -> str:
        """The id of its OperationDefinition."""
        return f"{self.resource}-{self.name}" if self.resource else self.name

    @property
    def addresses(self) -> list[str]:
        """The paths below the base."""
        if not self.resource:
            return [f"${self.name}"]
        on_type, on_instance = f"{self.resource}/${self.name}", f"{self.resource}/{{id}}/${self.name}"
        return [*([on_type] if self.on_type else []), *([on_instance] if self.on_instance else [])]


CHANGED = OperationParameter("return", "Bundle", "The Appointment and its Slots as they are now.", 1, use="out")

# Search criteria of Argonaut Scheduling, of IHE, and of $prefetch.
CRITERIA = (
    OperationParameter("start", "dateTime", "From when; from now on unless said."),
    OperationParameter("end", "dateTime", "Until when; 31 days after the start unless said, and never later."),
    OperationParameter("specialty", "string", "`system|code` of a service or a practitioner.", 0, "*", "in", "token"),
    OperationParameter("visit-type", "string", "`system|code`, Argonaut's or SNOMED CT's.", 0, "*", "in", "token"),
    OperationParameter(
        "practitioner", "uri", "With any of these. References are read too, by identifier as well.", 0, "*"
    ),
    OperationParameter("organization", "uri", "Of any of these: the service, the site or the role.", 0, "*"),
    OperationParameter("location-string", "string", "At such an address: any part of it.", 0, "*", "in", "string"),
    OperationParameter("location-reference", "uri", "At any of these sites, or in any of these rooms.", 0, "*"),
)
COUNT = OperationParameter(
    "_count", "integer", "How many on one page: 100 unless said, 20 for Medplum's; 1000 at most."
)
SEARCHSET = OperationParameter(
    "return", "Bundle", "A searchset, with an OperationOutcome that says more.", 1, use="out"
)
NAMED = (
    OperationParameter("appt-id", "uri", "A proposal of $find, or what is held. Argonaut's."),
    OperationParameter(
        "appt-resource", "Appointment", "An Appointment, which may also be all of the body. Argonaut's."
    ),
    OperationParameter("appointment-reference", "Reference", "A proposal of $find, or what is held. IHE's."),
    OperationParameter("appointment-resource", "Appointment", "An Appointment. IHE's."),
    OperationParameter("appointment", "Appointment", "An Appointment that contains its Slots. Medplum's."),
)

OPERATIONS = (
    Operation(
        "find",
        methods=("GET", "POST"),
        on_type=True,
        affects_state=False,
        documentation="Free times, as proposed Appointments. Nothing is stored; a proposal stands for an hour.",
        parameters=(
            *CRITERIA,
            OperationParameter("patient-reference", "uri", "For whom: times when they are elsewhere are left out."),
            OperationParameter("patient-resource", "Patient", "For whom. Not needed to find times."),
            OperationParameter("coverage", "Coverage", "Who pays. Not needed to find times.", 0, "*"),
            OperationParameter("insurance-reference", "Reference", "Who pays. Not needed to find times.", 0, "*"),
            OperationParameter("reason", "string", "`system|code`; the proposals say it.", 0, "*", "in", "token"),
            OperationParameter("referral-identifier", "Identifier", "Of the ServiceRequest; the proposals say it."),
            OperationParameter("timing", "Timing", "Preferred times: dayOfWeek, timeOfDay and boundsPeriod."),
            OperationParameter("appt-type", "string", "`system|code`; the proposals say it.", 0, "1", "in", "token"),
            OperationParameter("service-type-reference", "uri", "The HealthcareService. Medplum's."),
            OperationParameter("schedule", "uri", "Schedules, all of them; a comma is any of them. Medplum's.", 0, "*"),
            OperationParameter("ignore-appointment", "uri", "Whose own time does not count. Medplum's."),
            COUNT,
            SEARCHSET,
        ),
    ),
    Operation(
        "hold",
        on_type=True,
        on_instance=True,
        documentation="Takes the time for a little while, until the instant that the header Expires names.",
        parameters=(*NAMED, SEARCHSET),
    ),
    Operation(
        "book",
        on_type=True,
        on_instance=True,
        documentation="Books a proposal or what is held; with IHE's names also changes and cancels.",
        parameters=(
            *NAMED,
            OperationParameter("patient-id", "uri", "Whose visit it is."),
            OperationParameter("patient-resource", "Patient", "Whose visit it is: registered unless they are already."),
            OperationParameter("cancelled-appt-id", "uri", "The cancelled Appointment that this one replaces."),
            OperationParameter("comment", "string", "What the clinic should know."),
            SEARCHSET,
        ),
    ),
    Operation(
        "prefetch",
        resource="Slot",
        methods=("GET", "POST"),
        on_type=True,
        affects_state=False,
        documentation="Free time as Slots, whose ids stay the same for as long as they are free.",
        parameters=(*CRITERIA, SEARCHSET),
    ),
    Operation(
        "confirm",
        on_instance=True,
        documentation="A hold becomes a booking, as long as it has not expired.",
        parameters=(
            OperationParameter("occurrences", "code", "Which visits of a series. There are none, so it is `this`."),
            CHANGED,
        ),
    ),
    Operation(
        "cancel",
        on_type=True,
        on_instance=True,
        documentation="The time is free again; the Appointment stays, as `cancelled`.",
        parameters=(
            OperationParameter("appointment-reference", "Reference", "Which one, where the address does not say it."),
            OperationParameter("cancelationReason", "CodeableConcept", "Why."),
            OperationParameter("return", "Appointment", "The Appointment as it is now.", 1, use="out"),
        ),
    ),
    Operation(
        "reschedule",
        on_instance=True,
        documentation="The same Appointment at another time, on the Schedules that are named and no others.",
        parameters=(
            OperationParameter("start", "instant", "When it starts now.", 1),
            OperationParameter("schedule", "Reference", "A Schedule that it takes time of.", 1, "*"),
            CHANGED,
        ),
    ),
    Operation(
        "match",
        resource="Patient",
        on_type=True,
        affects_state=False,
        documentation="Which of the patients whom the caller may see this could be, the likeliest first.",
        parameters=(
            OperationParameter("resource", "Patient", "What is known of the patient.", 1),
            OperationParameter("onlyCertainMatches", "boolean", "Only those of whom there is no doubt."),
            OperationParameter("count", "integer", "How many at most; 10 unless said, never more than 100."),
            OperationParameter(
                "return", "Bundle", "A searchset with a score and a match-grade for each.", 1, use="out"
            ),
        ),
        standard="http://hl7.org/fhir/OperationDefinition/Patient-match",
    ),
    Operation(
        "bulk-publish",
        resource="",
        methods=("GET",),
        affects_state=False,
        documentation="Which files of free times there are for everybody to read.",
        parameters=(OperationParameter("return", "Binary", "The manifest, which is plain JSON.", 1, use="out"),),
        standard="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/bulk-publish",
    ),
)
