"""Subscription: https://hl7.org/fhir/R4/subscription.html, in two forms.

With the criteria of Argonaut Scheduling (argo-sub-notif), a client subscribes to changes of free time, and is told
nothing that names a patient; what it requests is active at once. With the address of a topic (clinic.fhir.topics), it
subscribes to events; what it requests is active once its endpoint has answered a handshake.

The values of headers are secrets: they are returned hidden, and a hidden value that is sent back stays as it was.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from urllib.parse import parse_qsl

from clinic import http_client
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import MOMENT, Conversion, Element, NormalisedElement, code, text
from clinic.fhir.issues import InvalidElement, ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.fhir.topics import TOPICS, Topic, filters_of, read_channel, topic_of
from clinic.models import Slot, Subscription
from clinic.models.subscription import decrypts_to, encrypted_header

Status = Subscription.Status
HIDDEN = "(not shown)"
PAYLOADS = ("application/fhir+json", "application/json")
HEADER = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): *(?P<value>[\t\x20-\x7e]{0,4000})")
RESERVED_HEADERS = frozenset(
    {"connection", "content-length", "content-type", "host", "te", "transfer-encoding", "upgrade"}
)
ACTORS = ("Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService")
REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")

# The types that each search parameter can name. An id without a type is of the first.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "schedule": ("Schedule",),
    "actor": ACTORS,
    "practitioner": ("Practitioner", "PractitionerRole"),
    "location": ("Location",),
    "organization": ("Organization",),
    "service": ("HealthcareService",),
    "patient": ("Patient",),
}
SERVICE_TYPE = "service-type"  # the one parameter that takes codes, as `system|code`, instead of references
OF_VISITS = {name: name for name in ("patient", "practitioner", "location", "actor", "service", SERVICE_TYPE)}
OF_FREE_TIME = ("schedule", "actor", "practitioner", "location", "organization", "service")
# The names of these parameters, by the resource type of the criteria.
NAMES: dict[str, dict[str, str]] = {
    "Slot": {"schedule": "schedule"}
    | {name: name for name in ("practitioner", "location", "organization", "service")}
    | {f"schedule.{name}": name for name in OF_FREE_TIME if name != "schedule"},
    "Schedule": {"_id": "schedule"} | {name: name for name in OF_FREE_TIME if name != "schedule"},
    "Appointment": OF_VISITS,
    "Encounter": OF_VISITS,
}
FREE_TIME = ("Slot", "Schedule")


@dataclass(frozen=True)
class SubscriptionCriteria:
    """The schedules or visits of a subscription: those that match one of the references for every parameter."""

    references: Mapping[str, frozenset[str]]

    def __and__(self, other: "SubscriptionCriteria") -> "SubscriptionCriteria":
        both = {
            name: found & self.references.get(name, found) & other.references.get(name, found)
            for name, found in (*self.references.items(), *other.references.items())
        }
        return SubscriptionCriteria(both)


EVERYTHING = SubscriptionCriteria({})


def criteria_of(subscription: Subscription) -> SubscriptionCriteria:
    """Return the criteria of a stored subscription, in either form. Raises InvalidElement."""
    if subscription.topic:
        return _read_filters(TOPICS[subscription.topic], filters_of(subscription.extra))
    return read_criteria(subscription.criteria)


def _read_filters(topic: Topic, filters: Iterable[str]) -> SubscriptionCriteria:
    return reduce(and_, (read_criteria(each, topic.filters) for each in filters), EVERYTHING)


def read_criteria(written: str, kinds: Sequence[str] = FREE_TIME) -> SubscriptionCriteria:
    """Read criteria of one of these types, such as `Slot?schedule.actor=Practitioner/1`.

    Raises InvalidElement for unsupported ones.
    """
    kind, _, query = written.partition("?")
    if kind not in kinds:
        raise _unserved(f"Criteria here are about {' or '.join(kinds)}, or name a topic; not about {kind!r}.")
    names = NAMES[kind]
    references: dict[str, frozenset[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=20):
        if name == "status" and kind == "Slot":
            _check_statuses(value)  # otherwise ignored: every change of free time is notified
            continue
        base, _, modifier = name.partition(":")
        if base not in names:
            raise _unserved(f"{name!r} cannot be asked for here: {', '.join(names)} can.")
        found = _references(names[base], modifier, value, name)
        references[names[base]] = found & references.get(names[base], found)
    return SubscriptionCriteria(references)


def _references(parameter: str, modifier: str, value: str, name: str) -> frozenset[str]:
    if parameter == SERVICE_TYPE:
        return frozenset(filter(None, value.split(",")))
    types = PARAMETERS[parameter]
    kind = modifier or types[0]
    found = frozenset(
        local_reference(text) if "/" in text else f"{kind}/{text}" for text in value.split(",") if text.strip()
    )
    for reference in found:
        if not REFERENCE.fullmatch(reference) or reference.partition("/")[0] not in types:
            raise _unserved(f"{name}={value} does not name a {' or a '.join(types)}.")
    if not found:
        raise _unserved(f"{name!r} has no value.")
    return found


def _check_statuses(value: str) -> None:
    for status in value.split(","):
        if status not in Slot.Status.values:
            raise InvalidElement(f"{status!r} is not one of {', '.join(Slot.Status.values)}.", "code-invalid")


def _unserved(text: str) -> InvalidElement:
    return InvalidElement(text, "business-rule")


def _read_criteria(sent: str | None) -> str:
    written = str(text(1000).read(sent))
    if written and topic_of(written) is None:
        read_criteria(written)
    return written


def _read_channel_type(sent: str | None) -> str:
    if sent is not None and sent not in Subscription.ChannelType.values:
        raise _unserved(f"{sent!r} is not served here: rest-hook is.")
    return sent or ""


def _read_endpoint(sent: str | None) -> str:
    endpoint = str(text(500).read(sent))
    try:
        if endpoint:
            http_client.check_url(endpoint)
    except http_client.NotAllowed as error:
        raise _unserved(str(error)) from None
    return endpoint


def _read_payload(sent: str | None) -> str:
    if sent and sent.partition(";")[0].strip() not in PAYLOADS:
        raise _unserved(f"{sent!r} is not served here: {PAYLOADS[0]} is, and nothing at all.")
    return str(text(100).read(sent))


class ChannelHeaders:
    """Subscription.channel.header: stored in its column with encrypted values, and returned with hidden values."""

    path = Path("channel", "header")

    def take(self, reading: Reading) -> None:
        sent = (reading.resource.get("channel") or {}).pop("header", [])
        matches = [HEADER.fullmatch(header) for header in sent]
        for n, match in enumerate(matches):
            if match is None or match["name"].lower() in RESERVED_HEADERS:
                at = f"Subscription.channel.header[{n}]"
                text = (
                    "A header is written `Name: value`, of at most 4,000 characters, and its name is not one that the"
                    " connection needs."
                )
                reading.refuse(ResourceIssue("value", text, at))
        given = [(match["name"], match["value"]) for match in matches if match]
        reading.draft.fields["header"] = self._with_kept(given, reading)

    def give(self, row: Subscription, resource: Json) -> None:
        if row.header:
            resource.setdefault("channel", {})["header"] = [f"{name}: {HIDDEN}" for name, _ in row.encrypted_headers]

    def _with_kept(self, given: Iterable[tuple[str, str]], reading: Reading) -> list[str]:
        before = Subscription.objects.filter(fhir_id=reading.draft.fields.get("fhir_id")).first()
        kept = dict(before.encrypted_headers) if before else {}
        headers = []
        for n, (name, value) in enumerate(given):
            if value == HIDDEN and name not in kept:
                text = f"The value of {name} is not known here: send it."
                reading.refuse(ResourceIssue("required", text, f"Subscription.channel.header[{n}]"))
            stays = name in kept and (value == HIDDEN or decrypts_to(kept[name], value.strip()))
            headers.append(f"{name}: {kept[name]}" if stays else encrypted_header(name, value.strip()))
        return headers


def _take_topic(reading: Reading) -> None:
    """Take the topic and the period of its heartbeats, and check what only Subscriptions to a topic have."""
    fields = reading.draft.fields
    topic = None if reading.is_refused("criteria") else topic_of(fields.get("criteria", ""))
    fields |= {"topic": topic.id if topic else "", "heartbeat": None}
    if topic is None:
        return
    try:
        _read_filters(topic, filters_of(reading.resource))
    except InvalidElement as error:
        reading.refuse_element(error, "criteria.extension")
    try:
        fields["heartbeat"] = read_channel(reading.resource).heartbeat
    except InvalidElement as error:
        reading.refuse_element(error, "channel.extension")
    if not fields.get("payload"):
        reading.require("Subscription.channel.payload")


def _activate(reading: Reading) -> None:
    """Make a requested subscription active, and clear its error and count of failures.

    One to a topic stays requested until the handshake, unless it is active already and its endpoint stays the same.
    """
    fields = reading.draft.fields
    if fields.get("status") not in (Status.REQUESTED, Status.ACTIVE):
        return
    fields |= {"error": "", "failures": 0}
    if not fields["topic"]:
        fields["status"] = Status.ACTIVE.value
    elif fields["status"] == Status.ACTIVE:
        same = {name: fields.get(name) for name in ("fhir_id", "status", "endpoint", "topic")}
        is_greeted = Subscription.objects.filter(**same, deleted_at=None).exists()
        fields["status"] = Status.ACTIVE.value if is_greeted else Status.REQUESTED.value


SUBSCRIPTION = (
    NormalisedElement(Path("status"), "status", code(Subscription.Status), required=True),
    Element(Path("reason"), "reason", text(), required=True),
    Element(Path("criteria"), "criteria", Conversion(_read_criteria), required=True),
    Element(Path("end"), "end", MOMENT),
    Element(Path("error"), "error", text()),
    Element(Path("channel", "type"), "channel_type", Conversion(_read_channel_type), required=True),
    Element(Path("channel", "endpoint"), "endpoint", Conversion(_read_endpoint), required=True),
    Element(Path("channel", "payload"), "payload", Conversion(_read_payload)),
    ChannelHeaders(),
)

KINDS = {
    "Subscription": ResourceKind(
        Subscription, writer(SUBSCRIPTION), reader("Subscription", SUBSCRIPTION, _take_topic, _activate)
    )
}
