"""Topics of FHIR's topic-based Subscriptions, and what a Subscription to one says about its channel.

Subscriptions R5 Backport on R4: http://hl7.org/fhir/uv/subscriptions-backport/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.models import VisitEvent

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
FILTER_CRITERIA = f"{BACKPORT}/backport-filter-criteria"
PAYLOAD_CONTENT = f"{BACKPORT}/backport-payload-content"
HEARTBEAT_PERIOD = f"{BACKPORT}/backport-heartbeat-period"
TIMEOUT = f"{BACKPORT}/backport-timeout"
MAX_COUNT = f"{BACKPORT}/backport-max-count"
LONGEST_TIMEOUT = 30  # seconds

SLOT_CHANGED = "slot-changed"


class Content(StrEnum):
    """http://hl7.org/fhir/uv/subscriptions-backport/ValueSet/backport-content-value-set"""

    EMPTY = "empty"
    ID_ONLY = "id-only"
    FULL_RESOURCE = "full-resource"


@dataclass(frozen=True)
class Topic:
    """A topic that can be subscribed to. `resource` is the type of the focus of its events, `others` the types that can
    come beside it, and `filters` the types whose search parameters a filter may use.

    `kind` is the kind of VisitEvent that it tells of; empty for changes of free time.
    """

    id: str
    title: str
    text: str
    resource: str = "Appointment"
    others: tuple[str, ...] = ("Encounter",)
    filters: tuple[str, ...] = ("Appointment", "Encounter")
    kind: str = ""

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{codes.OURS}/SubscriptionTopic/{self.id}"


def _of_visits(kind: VisitEvent.Kind, text: str) -> Topic:
    return Topic(f"appointment-{kind.value}", f"Appointment {kind.value}", text, kind=kind.value)


TOPICS = {
    topic.id: topic
    for topic in (
        _of_visits(
            VisitEvent.Kind.BOOKED,
            "An Appointment is booked: at once, by the confirmation of a hold, by the clinic's answer to a request, or"
            " again after a cancellation.",
        ),
        _of_visits(VisitEvent.Kind.MOVED, "A booked Appointment has another time, or other actors."),
        _of_visits(
            VisitEvent.Kind.CANCELLED,
            "An Appointment that was booked is cancelled or entered in error. Released holds and refused requests are"
            " not told of.",
        ),
        _of_visits(VisitEvent.Kind.ARRIVED, "The patient has arrived or is checked in."),
        _of_visits(VisitEvent.Kind.FULFILLED, "The visit is over."),
        _of_visits(VisitEvent.Kind.NOSHOW, "The patient has not come."),
        _of_visits(
            VisitEvent.Kind.CORRECTED,
            "A step that was recorded by mistake (arrived, fulfilled or noshow) is taken back.",
        ),
        Topic(
            SLOT_CHANGED,
            "Slot changed",
            "The free time of a Schedule has changed: Slots were taken, freed, added or closed, or its hours changed.",
            "Schedule",
            (),
            ("Slot", "Schedule"),
        ),
    )
}


@dataclass(frozen=True)
class TopicChannel:
    """The options of a Subscription's channel, from its extensions. Times are in seconds; None where it names none."""

    content: Content
    heartbeat: int | None
    timeout: int | None
    most_events: int


def topic_of(criteria: str) -> Topic | None:
    """Return the topic that the criteria name; None if they name none. Raises InvalidElement for an unknown topic."""
    url, _, _version = criteria.partition("|")
    if "://" not in url.partition("?")[0]:
        return None
    for topic in TOPICS.values():
        if topic.url == url:
            return topic
    raise InvalidElement(
        f"There is no topic {url!r} here: {', '.join(each.url for each in TOPICS.values())}.", "business-rule"
    )


def filters_of(extra: Mapping[str, Any]) -> list[str]:
    """Return the filter criteria in the elements of a Subscription that have no column."""
    extensions = extra.get("_criteria", {}).get("extension", ())
    return [str(each.get("valueString", "")) for each in extensions if each.get("url") == FILTER_CRITERIA]


def read_channel(extra: Mapping[str, Any]) -> TopicChannel:
    """Read the channel in the elements of a Subscription that have no column. Raises InvalidElement."""
    channel = extra.get("channel", {})
    return TopicChannel(
        content=_content(channel.get("_payload", {})),
        heartbeat=_number(channel, HEARTBEAT_PERIOD, "valueUnsignedInt", 60, 24 * 60 * 60),
        timeout=_number(channel, TIMEOUT, "valueUnsignedInt", 1, LONGEST_TIMEOUT),
        most_events=_number(channel, MAX_COUNT, "valuePositiveInt", 1, 100) or 1,
    )


def _content(payload: Json) -> Content:
    sent = next(_values(payload, PAYLOAD_CONTENT, "valueCode"), Content.ID_ONLY)
    return read_content(sent)


def read_content(sent: Any) -> Content:
    """Return the content with this code. Raises InvalidElement."""
    if sent not in list(Content):
        raise InvalidElement(f"{str(sent)[:64]!r} is not one of {', '.join(Content)}.", "code-invalid")
    return Content(sent)


def _number(element: Json, url: str, name: str, least: int, most: int) -> int | None:
    sent = next(_values(element, url, name), None)
    if sent is not None and not least <= sent <= most:
        raise InvalidElement(f"{url.rpartition('/')[2]} is a number from {least} to {most}.", "business-rule")
    return sent


def _values(element: Json, url: str, name: str) -> Iterator[Any]:
    return (each[name] for each in element.get("extension", ()) if each.get("url") == url and name in each)
