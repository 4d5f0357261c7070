"""The requests of the use cases: what is asked to be booked, confirmed, moved or ended."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from clinic.fhir.codes import OCCURRENCE_CHANGED, SERIES
from clinic.models import Appointment, HealthcareService, Patient
from scheduling.availability import Offering
from scheduling.participants import participant
from scheduling.plugins import NO_FINDINGS, Judgement
from scheduling.versions import Versions

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """A request to book a visit at `start` on all of `offerings`.

    `participants` are FHIR participants sent by a client; without any, they are built from the schedules' actors and
    the patient. `requested` is the window that was searched. `override` is the reason for which staff ignore the rules
    of their calendar; taken time stays taken. `overbook` is the reason for which they book an extra visit at a time
    that is taken. Without `tell` the patient is not told. `extra` holds other elements of the Appointment. `fhir_id` is
    a reserved id: the second booking with it finds the time taken. `requested_patient` is a record that was merged into
    the patient's. `activate` makes an inactive record of the patient active, if the
    caller runs the calendars. `register` returns a new patient instead of `patient`: it is called in the transaction of
    the booking, so that a refusal registers nobody. `slots` are primary keys of stored Slots that become the visit's.
    With `asks`, `book` makes a request that the clinic answers, whatever the service. With `suggested_for` it is a time
    that the clinic suggests for that request, whose own time counts as free. `instead_of` is a visit that may move to
    the held time: its own time counts as free, and limits do not count both. `judgement` holds the findings of
    plug-ins: see scheduling.booking.judging. `others` are the other patients of a group visit; the use case reads them
    from `participants`. `combined` is what it has in common with the other visits of one coming.
    """

    service: HealthcareService
    offerings: tuple[Offering, ...]
    start: datetime
    patient: Patient | None = None
    requested_patient: Patient | None = None
    participants: tuple[Json, ...] = ()
    identifiers: tuple[Json, ...] = ()
    comment: str = ""
    requested: tuple[datetime, datetime] | None = None
    override: str = ""
    overbook: str = ""
    tell: bool = True
    extra: Json = field(default_factory=dict)
    fhir_id: str = ""
    activate: bool = False
    suggested_for: Appointment | None = None
    instead_of: Appointment | None = None
    register: Callable[[], Patient] | None = None
    slots: tuple[int, ...] = ()
    asks: bool = False
    judgement: Judgement = NO_FINDINGS
    others: tuple[Patient, ...] = ()
    combined: UUID | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.offerings[0].rules.duration)

    @property
    def patients(self) -> tuple[Patient, ...]:
        """The patients of the visit: none for a hold whose patient is named later."""
        return (self.patient, *self.others) if self.patient is not None else ()

    def with_registered_patient(self) -> "BookingRequest":
        """The request with its new patient, who is registered now and takes part like the others."""
        if self.register is None:
            return self
        patient = self.register()
        added = [participant(patient.reference, str(patient), each["status"]) for each in self.participants[:1]]
        return replace(self, patient=patient, register=None, participants=(*self.participants, *added))


@dataclass(frozen=True, kw_only=True)
class SeriesRequest:
    """A request to book a series: its `first` visit, and the `starts` of all visits, in order.

    The visits have everything else in common. `changed` are the numbers of those that are at another local time than
    the first; the first visit is number 1. Refusals state times by the clocks of `zone`. `judgements` are the findings
    of plug-ins about each visit, if any were asked.
    """

    first: BookingRequest
    starts: tuple[datetime, ...]
    zone: ZoneInfo
    changed: frozenset[int] = frozenset()
    judgements: tuple[Judgement, ...] = ()

    @property
    def duration(self) -> timedelta:
        return self.first.end - self.first.start


@dataclass(frozen=True, kw_only=True)
class ConfirmRequest:
    """The booking of a hold, for `patient` if one is given: see `name_patient`.

    `register` returns a new patient instead, in the same transaction. `extensions` are FHIR extensions to add.
    `version` is the one that the client has seen; another is refused. With `release`, a hold that cannot be booked is
    cancelled in the same transaction. `judgement` holds the findings of plug-ins. Without `tell` no message is written:
    that is for several visits together. `is_paid` is set only where a payment is settled.
    """

    comment: str = ""
    patient: Patient | None = None
    register: Callable[[], Patient] | None = None
    extensions: tuple[Json, ...] = ()
    version: Versions | None = None
    release: bool = False
    judgement: Judgement = NO_FINDINGS
    tell: bool = True
    is_paid: bool = False


@dataclass(frozen=True, kw_only=True)
class StatusRequest:
    """The details of a cancellation or another change of status.

    `reason` is a FHIR CodeableConcept. `version` is the one that the client has seen; another is refused. Without
    `tell` the patient gets no message about a cancellation. `by_patient` says that staff cancel at the patient's wish,
    so that no more of a payment is given back than if the patient had cancelled; `by_clinic`, that a patient cancels a
    visit that the clinic cannot keep, so that all of it is. `only` are the ids of the visits of a
    series that are cancelled; None: all. `subtype` is that of the audit line of a step, if it is not the status.
    """

    reason: Json | None = None
    version: Versions | None = None
    tell: bool = True
    by_patient: bool = False
    by_clinic: bool = False
    only: Collection[str] | None = None
    subtype: str = ""


WITHOUT_REASON = StatusRequest()


@dataclass(frozen=True, kw_only=True)
class RescheduleRequest:
    """The new time of a visit, or the time that is suggested for a request: `start` on all of `offerings`.

    With `service`, which the offerings are of, it becomes a visit of another kind. `version` is the one that
    the client has seen; another is refused. `override` is the reason for which staff ignore the rules of their
    calendars. `notes` are elements to save too: see `annotate`. Without `tell` the patient gets no message. `judgement`
    holds the findings of plug-ins.
    """

    offerings: tuple[Offering, ...]
    start: datetime
    service: HealthcareService | None = None
    version: Versions | None = None
    override: str = ""
    notes: Json = field(default_factory=dict)
    tell: bool = True
    judgement: Judgement = NO_FINDINGS

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.offerings[0].rules.duration)


def with_series(identifiers: Iterable[Json], series: UUID, system: str = SERIES) -> list[Json]:
    """The identifiers of a visit with that of its series, which only the server sets."""
    own = {"system": system, "value": str(series)}
    return [*(each for each in identifiers if each.get("system") != system), own]


def as_changed(extra: Json) -> Json:
    """The other elements of a visit of a series with R5's mark that it varies from the pattern of its series."""
    others = [each for each in extra.get("extension", ()) if each["url"] != OCCURRENCE_CHANGED]
    return {**extra, "extension": [*others, {"url": OCCURRENCE_CHANGED, "valueBoolean": True}]}


def participants_of(offerings: tuple[Offering, ...], patients: Iterable[Patient], status: str) -> list[Json]:
    """The FHIR participants of a visit. Devices are left out, as the IHE and Argonaut profiles demand."""
    people = [
        participant(offering.actor, offering.actor_name, status)
        for offering in offerings
        if not offering.actor.startswith("Device/")
    ]
    return [*people, *(participant(patient.reference, str(patient), "accepted") for patient in patients)]
