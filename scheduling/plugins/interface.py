"""The interface of plug-ins: the class that they derive from, the facts that they get, and the findings they return.

Facts are immutable and plain. References are FHIR's, such as `Practitioner/chen`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BookingStep(StrEnum):
    """The use case that asks."""

    HOLD = "hold"
    BOOK = "book"
    CONFIRM = "confirm"
    RESCHEDULE = "reschedule"


class Door(StrEnum):
    """The way by which a request comes."""

    API = "api"
    STAFF = "staff"  # the staff's pages and Administration
    PATIENTS = "patients"  # the pages for patients, with an account or without


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerFacts:
    """The caller: software by its client id, a person by their reference, or both; a guest has neither."""

    door: Door
    client: str = ""
    person: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceFacts:
    """The kind of visit. `codes` are the system and code of each coding of its types."""

    reference: str
    name: str
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientFacts:
    """A patient. `born` is FHIR's birthDate, which may be a month or a year; `is_new` is as scheduling.new_patients
    defines it.
    """

    reference: str
    born: str
    is_new: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingFacts:
    """A visit that is about to be held, booked, confirmed or moved.

    `appointment` is the reference of the visit, empty for a new one. `start` and `end` are in the time zone of the
    first schedule. `patients` is empty while nobody is named yet, as for a guest who holds a time, or whose record is
    made with the booking. `override` is the reason for which staff ignore rules: refusals then count as warnings.
    `language` is the language of the person who reads the findings.
    """

    step: BookingStep
    appointment: str
    service: ServiceFacts
    start: datetime
    end: datetime
    schedules: tuple[str, ...]
    practitioners: tuple[str, ...]
    locations: tuple[str, ...]
    patients: tuple[PatientFacts, ...]
    caller: CallerFacts
    override: str
    language: str


@dataclass(frozen=True, slots=True)
class PluginRefusal:
    """A reason for which the visit cannot be booked, as a sentence for the caller."""

    text: str


@dataclass(frozen=True, slots=True)
class PluginWarning:
    """A sentence for staff and software about a visit that can be booked."""

    text: str


Finding = PluginRefusal | PluginWarning


@dataclass(frozen=True, kw_only=True, slots=True)
class VisitNews:
    """An event in the life of a visit, and the visit as it is when this is sent. Times are in UTC.

    `kind` is booked, moved, cancelled or arrived; `version` is the version of the Appointment that the event made.
    """

    kind: str
    occurred: datetime
    appointment: str
    version: int
    status: str
    start: datetime | None
    end: datetime | None
    service: str
    patients: tuple[str, ...]
    practitioners: tuple[str, ...]
    locations: tuple[str, ...]


class Plugin:
    """The base class of plug-ins. A plug-in overrides the methods that it needs."""

    def before_booking(self, facts: BookingFacts) -> Iterable[Finding]:
        """Return refusals and warnings. It may be asked several times about one visit, so it changes nothing."""
        return ()

    # These are called by the worker after the commit, at least once for each event, and in order for each visit.

    def after_booked(self, news: VisitNews) -> None: ...
    def after_moved(self, news: VisitNews) -> None: ...
    def after_cancelled(self, news: VisitNews) -> None: ...
    def after_arrived(self, news: VisitNews) -> None: ...
