"""New Appointments that are booked, held or requested, instead of recorded as they were sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from clinic.fhir.resources import InvalidResource
from clinic.models import Appointment
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError
from scheduling.interactions.entries import Entry
from scheduling.participants import attending
from scheduling.plugins import Judgement

# Returns the booking request of a new Appointment (its resource and id), or None for one that is to be recorded.
ReadBooking = Callable[[dict[str, Any], str], BookingRequest | None]


@dataclass
class Bookings:
    """Entries that are to be booked, with their requests, and the problems of those that cannot be read."""

    read: ReadBooking = lambda resource, fhir_id: None
    entries: list[Entry] = field(default_factory=list)
    requests: list[BookingRequest] = field(default_factory=list)
    problems: list[tuple[Entry, SchedulingError | InvalidResource]] = field(default_factory=list)

    @property
    def references(self) -> set[str]:
        """The references of all these entries, read or not."""
        return {entry.reference for entry in [*self.entries, *(entry for entry, _ in self.problems)]}

    @property
    def locks(self) -> set[str]:
        """The resources that several bookings have to lock in the common order, before the first takes its time.

        One booking alone takes its own locks, and shares those of its calendars with others.
        """
        if len(self.requests) < 2:
            return set()
        calendars = {offering.reference for request in self.requests for offering in request.offerings}
        patients = {request.patient.reference for request in self.requests if request.patient is not None}
        others = {name for request in self.requests for name in attending(request.participants)}
        return calendars | patients | others

    def book(self, entry: Entry, *, caller: Caller, now: datetime) -> Appointment:
        """Take the time of an entry. With others it is read again, since those before it may have taken its room."""
        request = self.requests[self.entries.index(entry)]
        if len(self.requests) > 1 and (again := self.read(entry.resource, entry.fhir_id)):
            request = replace(again, judgement=request.judgement)
        return booking.create_visit(request, entry.resource["status"], caller=caller, now=now)


def bookings_among(
    entries: Sequence[Entry],
    read: ReadBooking,
    judgements: Mapping[str, Judgement],
    *,
    caller: Caller,
    now: datetime,
) -> Bookings:
    """The entries of new Appointments that are to be booked. One statement, if there are updates among them.

    One that could not be read before the transaction, as it names what the same Bundle makes, is judged here.
    """
    bookings = Bookings(read)
    for entry in _of_new(entries):
        try:
            request = read(entry.resource, entry.fhir_id)
            if request is not None and entry.fhir_id in judgements:
                request = replace(request, judgement=judgements[entry.fhir_id])
            elif request is not None:
                request = booking.judge_visit(request, entry.resource["status"], caller=caller, now=now)
        except (InvalidResource, SchedulingError) as error:
            bookings.problems.append((entry, error))
        else:
            if request is not None:
                bookings.entries.append(entry)
                bookings.requests.append(request)
    return bookings


def judge_bookings(
    entries: Sequence[Entry], read: ReadBooking, *, caller: Caller, now: datetime
) -> dict[str, Judgement]:
    """The findings about the visits that these entries book, by id. Call it outside any transaction."""
    judgements = {}
    for entry in _of_new([entry for entry in entries if entry.type == Appointment.RESOURCE_TYPE]):
        try:
            request = read(entry.resource, entry.fhir_id)
        except (InvalidResource, SchedulingError):
            continue  # the write refuses it, or makes what it names
        if request is not None:
            judged = booking.judge_visit(request, entry.resource["status"], caller=caller, now=now)
            judgements[entry.fhir_id] = judged.judgement
    return judgements


def _of_new(entries: Sequence[Entry]) -> list[Entry]:
    """The creates, and the updates of Appointments that do not exist yet."""
    updates = [entry.fhir_id for entry in entries if entry.interaction == "update"]
    existing: set[str] = set()
    if updates:
        existing.update(Appointment.objects.filter(fhir_id__in=updates).values_list("fhir_id", flat=True))
    return [entry for entry in entries if entry.interaction in ("create", "update") and entry.fhir_id not in existing]
