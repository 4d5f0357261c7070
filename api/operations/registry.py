"""Definitions of the operations: https://hl7.org/fhir/R4/operationdefinition.html"""

from dataclasses import dataclass, replace


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


def occurrences(verb: str) -> OperationParameter:
    """The parameter that extends a change of one visit to its series."""
    text = f"The visits of a series to {verb}: `this` (the default), `this-and-following`, or `all`."
    return OperationParameter("occurrences", "code", text)


CHANGED = OperationParameter("return", "Bundle", "The Appointment and its Slots as they are now.", 1, use="out")

# Search criteria of Argonaut Scheduling, of IHE, and of $prefetch.
CRITERIA = (
    OperationParameter("start", "dateTime", "Start of the search; by default now."),
    OperationParameter("end", "dateTime", "End of the search; by default, and at most, 31 days after the start."),
    OperationParameter("specialty", "string", "`system|code` of a service or a practitioner.", 0, "*", "in", "token"),
    OperationParameter("visit-type", "string", "`system|code`, Argonaut's or SNOMED CT's.", 0, "*", "in", "token"),
    OperationParameter("practitioner", "uri", "Any of these practitioners, by URL, reference or identifier.", 0, "*"),
    OperationParameter(
        "organization", "uri", "The organization of the service, the site or the role: any of these.", 0, "*"
    ),
    OperationParameter("location-string", "string", "Part of the address.", 0, "*", "in", "string"),
    OperationParameter("location-reference", "uri", "Any of these sites or rooms.", 0, "*"),
)
# Those of $prefetch, which has pages beyond 31 days.
PREFETCH_CRITERIA = tuple(
    replace(each, documentation="End of the search; by default 31 days after the start. More is answered page by page.")
    if each.name == "end"
    else each
    for each in CRITERIA
)
COUNT = OperationParameter(
    "_count", "integer", "Results on one page: by default 100, in Medplum's dialect 20; at most 1000."
)
SEARCHSET = OperationParameter(
    "return", "Bundle", "A searchset, with an OperationOutcome that explains it.", 1, use="out"
)
NAMED = (
    OperationParameter("appt-id", "uri", "A proposal of $find, or a hold. Argonaut's parameter."),
    OperationParameter(
        "appt-resource", "Appointment", "An Appointment, which may also be the whole body. Argonaut's parameter."
    ),
    OperationParameter("appointment-reference", "Reference", "A proposal of $find, or a hold. IHE's parameter."),
    OperationParameter("appointment-resource", "Appointment", "An Appointment. IHE's parameter."),
    OperationParameter(
        "appointment", "Appointment", "An Appointment that contains its Slots, or names free ones. Medplum's parameter."
    ),
)

MERGE_SOURCE = (
    OperationParameter("source-patient", "Reference", "The record that is merged into the other one."),
    OperationParameter("source-patient-identifier", "Identifier", "An identifier that the source must have.", 0, "*"),
)
MERGE_ANSWER = (
    OperationParameter("input", "Parameters", "What was asked.", 1, use="out"),
    OperationParameter("outcome", "OperationOutcome", "What was moved, or what stands against it.", 1, use="out"),
)

OPERATIONS = (
    Operation(
        "find",
        methods=("GET", "POST"),
        on_type=True,
        affects_state=False,
        documentation="Finds free times as proposed Appointments. Nothing is stored; a proposal is valid for an hour.",
        parameters=(
            *CRITERIA,
            OperationParameter(
                "patient-reference", "uri", "The patient; times at which they have another visit are left out."
            ),
            OperationParameter("patient-resource", "Patient", "The patient. Not needed to find times."),
            OperationParameter("coverage", "Coverage", "The coverage. Not needed to find times.", 0, "*"),
            OperationParameter("insurance-reference", "Reference", "The coverage. Not needed to find times.", 0, "*"),
            OperationParameter("reason", "string", "`system|code`; the proposals repeat it.", 0, "*", "in", "token"),
            OperationParameter(
                "referral-identifier", "Identifier", "The identifier of the ServiceRequest; the proposals repeat it."
            ),
            OperationParameter("timing", "Timing", "Preferred times: dayOfWeek, timeOfDay and boundsPeriod."),
            OperationParameter(
                "appt-type", "string", "`system|code`: services of this type of appointment.", 0, "1", "in", "token"
            ),
            OperationParameter("service-type-reference", "uri", "The HealthcareService. Medplum's parameter."),
            OperationParameter(
                "schedule", "uri", "All of these Schedules; a comma means any. Medplum's parameter.", 0, "*"
            ),
            OperationParameter(
                "ignore-appointment", "uri", "An Appointment whose own time counts as free. Medplum's parameter."
            ),
            OperationParameter(
                "occurrence-count",
                "positiveInt",
                "Finds series of so many visits, 2 to 52, at one local time; the window is for the first, and is 7 days"
                " long at most. Medplum's parameter.",
            ),
            OperationParameter(
                "week-interval", "positiveInt", "The weeks from one visit of a series to the next; by default 1."
            ),
            OperationParameter(
                "conflicts",
                "code",
                "`include` finds series too in which up to a third of the visits cannot be booked, each with the"
                " nearest times that can.",
            ),
            COUNT,
            SEARCHSET,
        ),
    ),
    Operation(
        "hold",
        on_type=True,
        on_instance=True,
        documentation="Holds the time, or that of a series, until the instant in the header Expires.",
        parameters=(*NAMED, SEARCHSET),
    ),
    Operation(
        "book",
        on_type=True,
        on_instance=True,
        documentation="Books a proposal or a hold; with a recurrenceTemplate a series, all of it or nothing; with IHE's"
        " parameters also changes and cancels a visit.",
        parameters=(
            *NAMED,
            OperationParameter("patient-id", "uri", "The patient, or each of those who come together.", 0, "*"),
            OperationParameter(
                "patient-resource", "Patient", "The patient, who is registered if they are not known yet."
            ),
            OperationParameter("cancelled-appt-id", "uri", "The cancelled Appointment that this one replaces."),
            OperationParameter("comment", "string", "A note to the clinic."),
            SEARCHSET,
        ),
    ),
    Operation(
        "prefetch",
        resource="Slot",
        methods=("GET", "POST"),
        on_type=True,
        affects_state=False,
        documentation="Finds free time as Slots. Their ids stay the same while they are free.",
        parameters=(
            *PREFETCH_CRITERIA,
            OperationParameter("_count", "integer", "Slots on one page, 1000 at most; by default all of 31 days."),
            OperationParameter("_include", "string", "`Slot:schedule` includes the Schedules.", 0, "*"),
            OperationParameter(
                "_include:iterate", "string", "`Schedule:actor` includes whose Schedules they are.", 0, "*"
            ),
            SEARCHSET,
        ),
    ),
    Operation(
        "confirm",
        on_instance=True,
        documentation="Turns a hold that has not expired into a booking, or the holds of a series.",
        parameters=(
            occurrences("confirm"),
            CHANGED,
        ),
    ),
    Operation(
        "cancel",
        on_type=True,
        on_instance=True,
        documentation="Cancels the Appointment and frees its time.",
        parameters=(
            OperationParameter(
                "appointment-reference", "Reference", "The Appointment, if the address does not name it."
            ),
            OperationParameter("cancelationReason", "CodeableConcept", "The reason."),
            occurrences("cancel"),
            OperationParameter(
                "return",
                "Resource",
                "The Appointment as it is now; with `occurrences` other than `this` a Bundle of those cancelled.",
                1,
                use="out",
            ),
        ),
    ),
    Operation(
        "reschedule",
        on_instance=True,
        documentation="Moves the Appointment to another time, on the named Schedules and no others.",
        parameters=(
            OperationParameter("start", "instant", "The new start.", 1),
            OperationParameter("schedule", "Reference", "A Schedule for the new time.", 1, "*"),
            OperationParameter(
                "service-type-reference",
                "Reference",
                "The HealthcareService of the visit from now on. Without it the visit keeps its service and duration.",
            ),
            CHANGED,
        ),
    ),
    Operation(
        "explain",
        resource="HealthcareService",
        methods=("GET", "POST"),
        on_instance=True,
        affects_state=False,
        documentation="Tells if the service can be booked at a time, and each rule that stands against it to callers"
        " who work with the calendars.",
        parameters=(
            OperationParameter("start", "instant", "The start of the visit.", 1),
            OperationParameter(
                "schedule",
                "Reference",
                "All of these Schedules; without any, those that are free or nearly so.",
                0,
                "*",
            ),
            OperationParameter("patient", "Reference", "The patient, whose own rules are explained too."),
            OperationParameter("result", "boolean", "True if it can be booked.", 1, use="out"),
            OperationParameter(
                "outcome",
                "OperationOutcome",
                "An issue for each rule; its diagnostics are JSON with the code of the rule.",
                use="out",
            ),
        ),
    ),
    Operation(
        "match",
        resource="Patient",
        on_type=True,
        affects_state=False,
        documentation="Finds the patients that match, among those that the caller may see, the likeliest first.",
        parameters=(
            OperationParameter("resource", "Patient", "The known facts about the patient.", 1),
            OperationParameter("onlyCertainMatches", "boolean", "Only certain matches."),
            OperationParameter("count", "integer", "Most results: by default 10, at most 100."),
            OperationParameter(
                "return", "Bundle", "A searchset with a score and a match-grade for each.", 1, use="out"
            ),
        ),
        standard="http://hl7.org/fhir/OperationDefinition/Patient-match",
    ),
    Operation(
        "status",
        resource="Subscription",
        methods=("GET", "POST"),
        on_type=True,
        on_instance=True,
        affects_state=False,
        documentation="Tells the status of Subscriptions, and how many events they have had.",
        parameters=(
            OperationParameter("id", "id", "A Subscription, if the address does not name it.", 0, "*"),
            OperationParameter("status", "code", "Only Subscriptions with one of these statuses.", 0, "*"),
            OperationParameter(
                "return", "Bundle", "A searchset of Parameters, one for each Subscription.", 1, use="out"
            ),
        ),
        standard="http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status",
    ),
    Operation(
        "events",
        resource="Subscription",
        methods=("GET", "POST"),
        on_instance=True,
        affects_state=False,
        documentation="Lists events of a Subscription to a topic again: at most 1000, the earliest first.",
        parameters=(
            OperationParameter("eventsSinceNumber", "string", "The number of the first event."),
            OperationParameter("eventsUntilNumber", "string", "The number of the last event."),
            OperationParameter(
                "content", "code", "`empty`, `id-only` or `full-resource`; by default as the Subscription asks."
            ),
            OperationParameter(
                "return", "Bundle", "A notification of the type query-event, with these events.", 1, use="out"
            ),
        ),
        standard="http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events",
    ),
    Operation(
        "everything",
        resource="Patient",
        methods=("GET", "POST"),
        on_instance=True,
        affects_state=False,
        documentation="Returns the patient's record, and what it refers to, as far as the caller may search for it.",
        parameters=(
            OperationParameter("start", "date", "The first day of the care; resources without a date are included."),
            OperationParameter("end", "date", "The last day of the care; resources without a date are included."),
            OperationParameter("_since", "instant", "Only resources that were written at this instant or later."),
            OperationParameter("_type", "code", "Only resources of these types; a comma means or.", 0, "*"),
            OperationParameter(
                "_count", "integer", "Resources of the patient on one page: by default and at most 1000."
            ),
            OperationParameter(
                "return", "Bundle", "A searchset; what the resources refer to has the mode `include`.", 1, use="out"
            ),
        ),
        standard="http://hl7.org/fhir/OperationDefinition/Patient-everything",
    ),
    Operation(
        "merge",
        resource="Patient",
        on_type=True,
        documentation="Merges a record into another one: everything that refers to the source refers to the target.",
        parameters=(
            *MERGE_SOURCE,
            OperationParameter("target-patient", "Reference", "The record that survives."),
            OperationParameter(
                "target-patient-identifier", "Identifier", "An identifier that the target must have.", 0, "*"
            ),
            OperationParameter("result-patient", "Patient", "The target as it should be; without it, as it is."),
            OperationParameter("preview", "boolean", "Only says what would happen."),
            *MERGE_ANSWER,
            OperationParameter("result", "Patient", "The surviving record.", use="out"),
        ),
        standard="http://hl7.org/fhir/OperationDefinition/Patient-merge",
    ),
    Operation(
        "unmerge",
        resource="Patient",
        on_type=True,
        documentation="Undoes the merge of a record: what was moved goes back, and the record is active again.",
        parameters=(
            *MERGE_SOURCE,
            *MERGE_ANSWER,
            OperationParameter("result", "Patient", "The record that was merged.", 1, use="out"),
        ),
    ),
    Operation(
        "ticket",
        resource="ServiceRequest",
        methods=("GET",),
        on_instance=True,
        affects_state=False,
        documentation="Returns the link with which the patient of a referral books its one visit.",
        parameters=(
            OperationParameter(
                "state",
                "code",
                "`open`, `booked`, `done`, `no-show`, `expired`, `withdrawn` or `paused`.",
                1,
                use="out",
            ),
            OperationParameter("link", "url", "The link, which works without signing in.", 1, use="out"),
            OperationParameter("expires", "instant", "When the link ends if it has not been used.", use="out"),
            OperationParameter("appointment", "Reference", "The visit that uses it.", use="out"),
        ),
    ),
    Operation(
        "bulk-publish",
        resource="",
        methods=("GET",),
        affects_state=False,
        documentation="Lists the published files of free times.",
        parameters=(OperationParameter("return", "Binary", "The manifest, which is plain JSON.", 1, use="out"),),
        standard="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/bulk-publish",
    ),
)
