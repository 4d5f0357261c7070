"""Appointment: https://hl7.org/fhir/R4/appointment.html

The response differs from what was sent in these elements: instants are in UTC; `slot` has references to the existing
Slots, without displays; `requestedPeriod` and `created` are there even if they were not sent. Only the server sets
when a hold expires, that US Core's profile is met, and the number of a visit in its series, so these are written and
never read. Of a series only the first visit has a `requestedPeriod`.
"""

from collections.abc import Iterator

from django.db.models import Prefetch

from clinic.fhir import codes
from clinic.fhir.datatypes import Json, date_time, instant, read_date_time, read_period
from clinic.fhir.elements import CONCEPT, INSTANT, LIST, Conversion, NormalisedElement, code, text
from clinic.fhir.issues import InvalidElement, ResourceIssue
from clinic.fhir.kinds import ResourceKind, identity_of, reader
from clinic.fhir.paths import Path
from clinic.fhir.readings import Reading
from clinic.fhir.references import References, local_reference
from clinic.fhir.schedules import service_references, service_type
from clinic.fhir.slots import check_time
from clinic.fhir.status_reasons import said_both_ways
from clinic.fhir.waitlist import check_preferences
from clinic.models import Appointment, Slot

ACTORS = ("Patient", "Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService")
PARTICIPATION = ("accepted", "declined", "tentative", "needs-action")
UNTIMED = ("proposed", "cancelled", "waitlist")
REQUIRED = ("required", "optional", "information-only")
CREATED = Conversion(lambda value: read_date_time(value) if value else None)

APPOINTMENT = (
    NormalisedElement(Path("status"), "status", code(Appointment.Status), required=True),
    NormalisedElement(Path("start"), "start", INSTANT),
    NormalisedElement(Path("end"), "end", INSTANT),
    NormalisedElement(Path("created"), "created", CREATED),
    NormalisedElement(Path("comment"), "comment", text()),
    NormalisedElement(Path("cancelationReason"), "cancelation_reason", CONCEPT),
    NormalisedElement(Path("participant"), "participant", LIST),
    NormalisedElement(Path("identifier"), "identifier", LIST),
)


def appointment(row: Appointment) -> Json:
    """Return the Appointment as JSON. Its `slot` lists all Slots, buffers too, the earliest first."""
    extra = row.extra
    resource: Json = {**extra, **identity_of(row), "status": row.status}
    if row.service and "serviceType" not in extra:
        resource["serviceType"] = service_type(row.service)
    if row.start and row.end:
        resource["start"] = instant(row.start)
        resource["end"] = instant(row.end)
    if "requestedPeriod" not in extra and row.occurrence in (None, 1) and (period := _requested(row)):
        resource["requestedPeriod"] = [period]
    if row.hold_expires_at or row.occurrence:
        resource["extension"] = _extensions(row)
    if row.participant and all("actor" in participant for participant in row.participant):
        resource["meta"] = _with_profile(resource["meta"])
    optional = {
        "created": date_time(row.created),
        "slot": [{"reference": f"Slot/{slot.fhir_id}"} for slot in _slots(row)],
        "participant": row.participant,
        "comment": row.comment,
        "cancelationReason": row.cancelation_reason,
        "identifier": row.identifier,
    }
    resource |= {name: value for name, value in optional.items() if value}
    return said_both_ways(resource) if row.cancelation_reason else resource


def _extensions(row: Appointment) -> list[Json]:
    """Return the extensions that were sent, and those that only the server sets in place of any that were sent."""
    own: list[Json] = []
    if row.occurrence:
        own.append({"url": codes.RECURRENCE_ID, "valuePositiveInt": row.occurrence})
    if row.hold_expires_at:
        own.append({"url": codes.HOLD_EXPIRES, "valueInstant": instant(row.hold_expires_at)})
    urls = {each["url"] for each in own}
    return [*(each for each in row.extra.get("extension", ()) if each["url"] not in urls), *own]


def _with_profile(meta: Json) -> Json:
    """Return `meta` with US Core's profile, which asks for an actor of each participant besides what FHIR asks for."""
    return {**meta, "profile": [*meta.get("profile", ()), codes.US_CORE_APPOINTMENT]}


def _slots(row: Appointment) -> list[Slot]:
    slots = [slot for slot in row.slots.all() if slot.deleted_at is None]
    return sorted(slots, key=lambda slot: (slot.start, slot.pk))


def _requested(row: Appointment) -> Json:
    """Return the period that was searched when the visit was booked, or the visit's own if that is unknown."""
    start, end = row.requested_start or row.start, row.requested_end or row.end
    pairs = (("start", start), ("end", end))
    return {name: instant(moment) for name, moment in pairs if moment}


def _take_created(reading: Reading) -> None:
    """Drop an empty `created`, so that the booking sets it when the row is saved."""
    if reading.draft.fields.get("created") is None:
        reading.draft.fields.pop("created", None)


def _take_slots(reading: Reading) -> None:
    """Take `slot` out of the resource and put the primary keys of the Slots into the draft."""
    sent = reading.resource.pop("slot", ())
    reading.draft.slots = reading.find_all(
        ((slot["reference"], f"Appointment.slot[{n}].reference") for n, slot in enumerate(sent) if "reference" in slot),
        "Slot",
    )


def _take_requested(reading: Reading) -> None:
    """Read the first requestedPeriod into columns. The element itself stays in `extra` as it was sent."""
    start = end = None
    for period in reading.resource.get("requestedPeriod", ())[:1]:
        try:
            start, end = read_period(period)
        except InvalidElement as error:
            reading.refuse_element(error, "requestedPeriod[0]")
    reading.draft.fields |= {"requested_start": start, "requested_end": end}


def _take_actors(reading: Reading) -> None:
    """Check that all actors are known rows. The first Patient among them becomes the patient of the visit."""
    found = {
        local_reference(text): reading.find(text, *ACTORS, path=path)
        for text, path in _actors(reading.draft.fields.get("participant", ()))
        if local_reference(text).partition("/")[0] in ACTORS
    }
    patients = [pk for text, pk in found.items() if text.startswith("Patient/")]
    services = [text for text in found if text.startswith("HealthcareService/")]
    reading.draft.fields["patient_id"] = patients[0] if patients else None
    reading.draft.fields["service_id"] = _service(services, reading)
    if "participant" in reading.draft.fields and not reading.issues:
        reading.draft.fields["participant"] = [
            _with_name(participant, found, reading.refs) for participant in reading.draft.fields["participant"]
        ]


def _with_name(participant: Json, found: dict[str, int | None], refs: References) -> Json:
    """Return the participant with its actor as `Type/id`, and with a `display`: the name of its practitioner, location
    or service if none was sent.

    Pages, messages and calendars show it. A patient's name is not copied: it is read from the record.
    """
    actor = participant.get("actor", {})
    reference = local_reference(actor.get("reference", ""))
    pk = found.get(reference)
    if pk is None:
        return participant
    is_named = "display" in actor or reference.startswith("Patient/")
    name = {} if is_named else {"display": refs.name(reference, pk)}
    return {**participant, "actor": {**actor, "reference": reference, **name}}


def _service(participants: list[str], reading: Reading) -> int | None:
    """Return the primary key of the one service that participants and `serviceType` name, or None."""
    concepts = reading.resource.get("serviceType", ())
    path = "Appointment.serviceType"
    named = {
        local_reference(text): text
        for text in (*participants, *(text for concept in concepts for text in service_references(concept)))
    }
    if len(named) > 1:
        reading.refuse(ResourceIssue("invalid", "Appointment has too many service references", path))
    return next((reading.find(text, "HealthcareService", path=path) for text in named.values()), None)


def _actors(participants: list[Json]) -> Iterator[tuple[str, str]]:
    for n, participant in enumerate(participants):
        if "reference" in participant.get("actor", ()):
            yield participant["actor"]["reference"], f"Appointment.participant[{n}].actor.reference"


def _check_preferences(reading: Reading) -> None:
    """Check what an entry of the waiting list prefers."""
    try:
        check_preferences(reading.resource.get("extension", ()))
    except InvalidElement as error:
        reading.refuse_element(error, "extension")


def _drop_profile(reading: Reading) -> None:
    """Drop US Core's profile, which is written where it is met."""
    if profiles := reading.resource.get("meta", {}).get("profile"):
        others = [profile for profile in profiles if profile != codes.US_CORE_APPOINTMENT]
        meta = {name: value for name, value in reading.resource["meta"].items() if name != "profile"}
        reading.resource["meta"] = {**meta, "profile": others} if others else meta
        if not reading.resource["meta"]:
            del reading.resource["meta"]


def _drop_hold(reading: Reading) -> None:
    extensions = reading.resource.pop("extension", ())
    others = [extension for extension in extensions if extension["url"] != codes.HOLD_EXPIRES]
    if others:
        reading.resource["extension"] = others


def _check_participants(reading: Reading) -> None:
    """Check invariant app-1, and the codes of participant.status and participant.required."""
    for n, participant in enumerate(reading.draft.fields.get("participant", ())):
        path = f"Appointment.participant[{n}]"
        if "type" not in participant and "actor" not in participant:
            reading.refuse(ResourceIssue("invariant", "app-1: Either the type or the actor is said.", path))
        for name, known in (("status", PARTICIPATION), ("required", REQUIRED)):
            if name in participant and participant[name] not in known:
                text = f"{participant[name]!r} is not one of {', '.join(known)}."
                reading.refuse(ResourceIssue("code-invalid", text, f"{path}.{name}"))


def _check_status(reading: Reading) -> None:
    """Check the invariants app-2, app-3 and app-4."""
    fields = reading.draft.fields
    status, start, end = fields.get("status"), fields.get("start"), fields.get("end")
    if reading.is_refused("start") or reading.is_refused("end"):
        return
    if (start is None) != (end is None):
        text = "app-2: Either both start and end are said, or neither."
        reading.refuse(ResourceIssue("invariant", text, "Appointment"))
    elif start is None and status and status not in UNTIMED:
        text = "app-3: Only what is proposed, cancelled or waiting has no start and end."
        reading.refuse(ResourceIssue("invariant", text, "Appointment"))
    if fields.get("cancelation_reason") and status not in ("cancelled", "noshow"):
        text = "app-4: Only what is cancelled or a no-show has a cancelationReason."
        reading.refuse(ResourceIssue("invariant", text, "Appointment.cancelationReason"))


KINDS = {
    "Appointment": ResourceKind(
        Appointment,
        appointment,
        reader(
            "Appointment",
            APPOINTMENT,
            _take_created,
            _take_slots,
            _take_requested,
            _take_actors,
            _check_preferences,
            _drop_profile,
            _drop_hold,
            check_time,
            _check_participants,
            _check_status,
        ),
        related=("service",),
        prefetch=(Prefetch("slots", Slot.objects.filter(deleted_at=None).order_by("start", "pk")),),
    ),
}
