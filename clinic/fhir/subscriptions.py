"""Subscription: https://hl7.org/fhir/R4/subscription.html, as Argonaut Scheduling uses it (argo-sub-notif).

Clients can subscribe to changes of free time, and to nothing that names a patient. A requested subscription is active
at once. The values of headers are secrets: they are returned hidden, and a hidden value that is sent back stays as it
was.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from clinic import http_client
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import MOMENT, Conversion, Element, NormalisedElement, code, text
from clinic.fhir.issues import InvalidElement, ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.models import Slot, Subscription
from clinic.models.subscription import decrypts_to, encrypted_header

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
}
# The names of these parameters, by the resource type of the criteria.
NAMES: dict[str, dict[str, str]] = {
    "Slot": {"schedule": "schedule"}
    | {name: name for name in ("practitioner", "location", "organization", "service")}
    | {f"schedule.{name}": name for name in PARAMETERS if name != "schedule"},
    "Schedule": {"_id": "schedule"} | {name: name for name in PARAMETERS if name != "schedule"},
}


@dataclass(frozen=True)
class SubscriptionCriteria:
    """The schedules of a subscription: those that match one of the references for every parameter."""

    references: Mapping[str, frozenset[str]]


def read_criteria(written: str) -> SubscriptionCriteria:
    """Read criteria such as `Slot?schedule.actor=Practitioner/1`. Raises InvalidElement for unsupported ones."""
    kind, _, query = written.partition("?")
    names = NAMES.get(kind)
    if names is None:
        raise _unserved(f"Only changes of Slot and Schedule can be subscribed to, not of {kind!r}.")
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


def _read_status(sent: str | None) -> str:
    """Return the status; `requested` becomes `active`, since nobody has to approve a subscription."""
    status = code(Subscription.Status).read(sent)
    return str(Subscription.Status.ACTIVE if status == Subscription.Status.REQUESTED else status)


def _read_criteria(sent: str | None) -> str:
    written = str(text(1000).read(sent))
    if written:
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


def _reset_failures(reading: Reading) -> None:
    """Clear the error and the count of failures of an active subscription."""
    if reading.draft.fields.get("status") == Subscription.Status.ACTIVE:
        reading.draft.fields |= {"error": "", "failures": 0}


SUBSCRIPTION = (
    NormalisedElement(Path("status"), "status", Conversion(_read_status), required=True),
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
        Subscription, writer(SUBSCRIPTION), reader("Subscription", SUBSCRIPTION, _reset_failures)
    )
}
