"""Writer of resources from other software: one code path for one resource or thousands.

It writes one type after another, in the order of their references, with a few statements for each. Slots and
Appointments are written by scheduling.booking under its rules.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from clinic.fhir.resources import RESOURCES, Draft, InvalidResource, References, ResourceKind, rows_of
from clinic.models import Appointment, AppointmentResponse, Patient, Resource, Schedule, Slot, Subscription
from clinic.models.base import new_fhir_id
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import (
    NotFound,
    RuleBroken,
    ScheduleBusy,
    SchedulingError,
    TimeTaken,
    VersionConflict,
)
from scheduling.interactions import rows, rules
from scheduling.interactions.audit import record_writes
from scheduling.interactions.bookings import Bookings, ReadBooking, bookings_among, judge_bookings
from scheduling.interactions.conditions import Find, finds_nothing, resolve_conditions
from scheduling.interactions.deletion import delete
from scheduling.interactions.entries import BundleRefused, Entry, EntryProblem, Interaction
from scheduling.interactions.patches import Deleted, apply_patches
from scheduling.interactions.patient_matching import without_known_patients
from scheduling.interactions.references import referable_references, visible_references
from scheduling.plugins import NO_FINDINGS, BookingStep, Judgement
from scheduling.versions import has_version

Outcome = Literal["created", "updated", "unchanged", "deleted", "known"]
Drafted = tuple[Entry, Draft]
LETTERS: dict[Interaction, str] = {"create": "c", "update": "u", "patch": "u", "delete": "d"}
DONE: dict[Outcome, str] = {"created": "c", "updated": "u"}


@dataclass(frozen=True)
class WriteResult:
    """The outcome of an entry. Version 0 means that there was nothing to delete.

    For a `known` Patient, who was registered already, version and last update are not disclosed.
    """

    index: int
    reference: str
    outcome: Outcome
    version: int
    last_updated: datetime

    @property
    def location(self) -> str:
        return self.reference if self.outcome == "known" else f"{self.reference}/_history/{self.version}"


@dataclass(frozen=True, kw_only=True)
class WriteRequest:
    """The entries to write, all or none.

    `base` is our own address, `find` runs the searches of conditions, `then` runs before the commit (an error undoes
    everything), and `progress` is called with the number of further entries done. `booking_of` finds the Appointments
    that are to be booked; without it, as in an import, all are recorded as they are. `judgements` are the findings
    about Appointments that are to be booked or confirmed, by id.
    """

    entries: Sequence[Entry]
    base: str = ""
    find: Find = finds_nothing
    booking_of: ReadBooking | None = None
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    then: Callable[[], object] = lambda: None
    progress: Callable[[int], object] = lambda count: None


def write(request: WriteRequest, *, caller: Caller, now: datetime) -> list[WriteResult]:
    """Write all entries in one transaction, or none. Returns the outcomes in their order.

    An unchanged resource gets no new version. Raises BundleRefused with all problems, Forbidden, ScheduleBusy.
    """
    request = with_judgements(request, caller=caller, now=now)
    with booking.all_or_nothing():
        return write_within(request, caller=caller, now=now)


def with_judgements(request: WriteRequest, *, caller: Caller, now: datetime) -> WriteRequest:
    """The request with the findings about the visits that it books or may confirm. Call it outside any transaction."""
    judgements = booking.judge_confirmations(_may_confirm(request.entries), caller=caller, now=now)
    if request.booking_of is not None and booking.is_judged(BookingStep.BOOK):
        entries = [_authorised(caller, entry) for entry in request.entries]
        judgements |= judge_bookings(entries, request.booking_of, caller=caller, now=now)
    return replace(request, judgements=judgements) if judgements else request


def write_within(request: WriteRequest, *, caller: Caller, now: datetime) -> list[WriteResult]:
    """Write all entries in the transaction of a use case: see `write`."""
    entries = [_authorised(caller, entry) for entry in request.entries]
    if conditions := [f"{entry.type}?{entry.condition}" for entry in entries if entry.condition]:
        booking.lock_conditions(conditions)
    resolved = resolve_conditions(entries, request.find)
    people = without_known_patients(resolved.entries)
    deleted, not_deleted = delete(_of(people.entries, "delete"), caller=caller, now=now)
    changed = apply_patches(_of(people.entries, "patch"), caller)
    if problems := [*resolved.problems, *people.problems, *not_deleted, *changed.problems]:
        raise BundleRefused(problems)
    rest = [*_of(people.entries, "create", "update"), *changed.updates]
    writer = _Writer(referable_references(rest, caller, request.base), caller, now, request)
    writer.write(rest)
    gone = [(row, "deleted") for _, row in deleted if row is not None and row.deleted_at == now]
    record_writes([*gone, *writer.noted], caller=caller, now=now)
    request.then()
    done = [
        *(_written(entry, row, "unchanged") for entry, row in [*resolved.existing, *changed.unchanged]),
        *(_written(entry, row, "known") for entry, row in people.existing),
        *(_written(entry, row, "deleted") for entry, row in deleted if row is not None),
        *(WriteResult(entry.index, entry.reference, "deleted", 0, now) for entry, row in deleted if row is None),
        *(WriteResult(entry.index, entry.reference, "deleted", 0, now) for entry in resolved.absent),
        *writer.written,
    ]
    return sorted(done, key=lambda each: each.index)


def _may_confirm(entries: Iterable[Entry]) -> list[str]:
    """The ids of the Appointments that these entries may make booked."""
    return [
        entry.fhir_id
        for entry in entries
        if entry.type == Appointment.RESOURCE_TYPE
        and (entry.interaction == "patch" or entry.resource.get("status") == Appointment.Status.BOOKED)
    ]


def _authorised(caller: Caller, entry: Entry) -> Entry:
    """The entry, if the caller may do such an interaction at all. Raises Forbidden. People cannot choose ids.

    Permissions for a single Appointment are checked by its use case: access.changeable_appointment.
    """
    if entry.interaction != "patch" or entry.type != Appointment.RESOURCE_TYPE:
        access.require(caller, entry.type, LETTERS[entry.interaction])
    if entry.interaction == "update" and entry.condition and not access.sees_all(caller, entry.type):
        return replace(entry, fhir_id=new_fhir_id())  # the id if nothing is found and it is created
    return entry


def _of(entries: Iterable[Entry], *interactions: Interaction) -> list[Entry]:
    return [entry for entry in entries if entry.interaction in interactions]


def _written(entry: Entry, row: Any, outcome: Outcome) -> WriteResult:
    return WriteResult(entry.index, row.reference, outcome, row.version, row.last_updated)


class _Writer:
    """The state of one transaction: known references, results and problems."""

    def __init__(self, known: References, caller: Caller, now: datetime, request: WriteRequest) -> None:
        self.known = known
        self.caller = caller
        self.now = now
        self.progress = request.progress
        self.booking_of = request.booking_of
        self.judgements = request.judgements
        self.written: list[WriteResult] = []
        self.noted: list[tuple[Resource, Outcome]] = []
        self.problems: list[EntryProblem] = []
        self.refused: set[str] = set()
        self.unseen = 0
        self.locks: set[str] = set()
        self.done: dict[str, list[int]] = defaultdict(list)

    def write(self, entries: Sequence[Entry]) -> None:
        by_type: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_type[entry.type].append(entry)
        self.known.allow(entry.reference for entry in entries)
        timed = [*by_type["Slot"], *by_type["Appointment"], *by_type["AppointmentResponse"]]
        created = {entry.reference for entry in timed if entry.interaction == "create"}
        self.locks = (_references(timed) | {entry.reference for entry in timed}) - created
        for name, kind in RESOURCES.items():
            for wave in _waves(by_type[name]):
                self._write_wave(kind, wave)
        if self.problems:
            raise BundleRefused(self.problems, self.unseen)

    def _write_wave(self, kind: ResourceKind, entries: Sequence[Entry]) -> None:
        bookings = self._bookings(entries if kind.model is Appointment else ())
        entries = [entry for entry in entries if entry.reference not in bookings.references]
        drafted = [(entry, draft) for entry in entries if (draft := self._draft(kind, entry)) is not None]
        if kind.model is Schedule:
            rows.set_bookables(draft for _, draft in drafted)
        if kind.model in (Slot, Appointment, AppointmentResponse):
            self._lock()
        existing = _existing(kind, [entry for entry, _ in drafted])
        drafted = self._allowed(kind, drafted, existing)
        new = [each for each in drafted if each[0].reference not in existing]
        old = [(existing[entry.reference], entry, draft) for entry, draft in drafted if entry.reference in existing]
        changed = [each for each in old if self._may_replace(*each)]
        access.require_within_scopes(kind.model, [row.pk for row, _, _ in changed], self.caller, "u")
        if kind.model is Appointment:
            self._write_appointments(bookings, new, changed)
        elif kind.model is Slot:
            self._write_slots(new, changed)
        elif kind.model is AppointmentResponse:
            for entry, draft in new:
                self._attempt(entry, "created", partial(self._record_response, draft))
        else:
            self._write_rows(kind, new, changed)
        for letter, keys in self.done.items():
            access.require_within_scopes(kind.model, keys, self.caller, letter)
        self.done.clear()

    def _lock(self) -> None:
        """Take the locks of all Slots, Appointments and responses at once, as late as possible, since they block
        bookings.
        """
        booking.lock_for(self.locks)
        self.locks = set()

    def _draft(self, kind: ResourceKind, entry: Entry) -> Draft | None:
        """The draft of an entry; None if it cannot be read, which is a problem, or refers to an entry with a
        problem.
        """
        self.progress(1)
        if self._depends_on_refused(entry):
            return None
        assert kind.from_fhir is not None  # entries are of types that can be written
        try:
            resource = rules.completed(entry.type, entry.resource, self.caller, self.known)
            self.known.now = self.now
            draft = kind.from_fhir(resource, self.known)
            self.known.check(resource)
        except (InvalidResource, SchedulingError) as error:
            self._refuse(entry, error)
            return None
        return draft

    def _depends_on_refused(self, entry: Entry) -> bool:
        if not self.refused or not self.refused & References.collect([entry.resource]):
            return False
        self.unseen += 1
        self.refused.add(entry.reference)
        return True

    def _bookings(self, entries: Sequence[Entry]) -> Bookings:
        """The Appointments that are to be booked. Their locks are among those that are taken before any is written."""
        if self.booking_of is None:
            return Bookings()
        new = [entry for entry in entries if not self._must_exist(entry)]
        bookings = bookings_among(new, self.booking_of, self.judgements, caller=self.caller, now=self.now)
        for entry, error in bookings.problems:
            if not self._depends_on_refused(entry):
                self._refuse(entry, error)
        self.locks |= bookings.locks
        if bookings.entries and self.caller.user is not None:
            booking.lock_holder(self.caller)  # before the patients, as every hold does
        return bookings

    def _allowed(self, kind: ResourceKind, drafted: Sequence[Drafted], existing: Mapping[str, Any]) -> list[Drafted]:
        """The entries that the caller may write and that no rule forbids."""
        seen = visible_references(self.caller, kind, existing)
        allowed = []
        for entry, draft in drafted:
            row = existing.get(entry.reference)
            try:
                if entry.reference not in seen and (row is not None or self._must_exist(entry)):
                    raise NotFound(f"There is no {entry.reference}.")
                access.may_write(self.caller, entry.type, entry.fhir_id, draft.fields, row)
                rules.check(entry.type, draft, row, caller=self.caller, now=self.now)
            except SchedulingError as error:
                self._refuse(entry, error)
            else:
                allowed.append((entry, draft))
        return allowed

    def _must_exist(self, entry: Entry) -> bool:
        """True if the resource must exist. Refusing only the ids in use would reveal other people's resources."""
        return entry.interaction == "update" and not access.sees_all(self.caller, entry.type)

    def _may_replace(self, row: Any, entry: Entry, draft: Draft) -> bool:
        """True if the row should be written. An unchanged row gets its result without being written."""
        if row.deleted_at is not None and _stays_deleted(row):
            self._refuse(entry, Deleted(f"{entry.reference} was deleted. Use another id."))
        elif not has_version(row, entry.version):
            self._refuse(entry, VersionConflict())
        elif not rows.is_changed(row, draft) or (row.deleted_at is None and rows.is_equal_to(row, entry.resource)):
            self._note(entry, row, "unchanged")
        else:
            return True
        return False

    def _write_rows(
        self, kind: ResourceKind, new: Sequence[Drafted], changed: Sequence[tuple[Any, Entry, Draft]]
    ) -> None:
        if kind.model is Subscription:
            for _, draft in new:
                draft.fields |= {"client": self.caller.client, "user": self.caller.user}
            for draft in (*(draft for _, draft in new), *(draft for row, _, draft in changed if self._owns(row))):
                draft.fields["scopes"] = " ".join(self.caller.scopes)
        if kind.model is Schedule:
            changed = [each for each in changed if self._keeps_its_actor(*each)]
        new = [each for each in new if self._is_first(each[0])]
        for (entry, _), row in zip(
            new, rows.insert(kind.model, [draft for _, draft in new], now=self.now), strict=True
        ):
            self._note(entry, row, "created")
        outcomes: list[Outcome] = ["updated" if row.deleted_at is None else "created" for row, _, _ in changed]
        rows.overwrite(kind.model, [(row, draft) for row, _, draft in changed], now=self.now)
        for (row, entry, _), outcome in zip(changed, outcomes, strict=True):
            self._note(entry, row, outcome)

    def _owns(self, subscription: Subscription) -> bool:
        return (subscription.client, subscription.user) == (self.caller.client, self.caller.user)

    def _write_slots(self, new: Sequence[Drafted], changed: Sequence[tuple[Slot, Entry, Draft]]) -> None:
        for row, entry, draft in changed:
            self._attempt(entry, "updated", partial(self._rewrite, row, draft))
        slots = {
            entry.fhir_id: Slot(**draft.fields, last_updated=self.now) for entry, draft in new if self._is_first(entry)
        }
        taken = {slot.fhir_id for slot in booking.write_slots(list(slots.values()))}
        for entry, _ in new:
            if entry.fhir_id in taken:
                self._refuse(entry, TimeTaken("This time is taken by another Slot.", expression="Slot"))
            elif entry.fhir_id in slots:
                self._note(entry, slots[entry.fhir_id], "created")

    def _write_appointments(
        self, bookings: Bookings, new: Sequence[Drafted], changed: Sequence[tuple[Appointment, Entry, Draft]]
    ) -> None:
        for entry in bookings.entries:
            if self._is_first(entry):
                self._attempt(entry, "created", partial(bookings.book, entry, caller=self.caller, now=self.now))
        for row, entry, draft in changed:
            self._attempt(entry, "updated", partial(self._amend, row, draft))
        for entry, draft in new:
            if self._is_first(entry):
                self._attempt(entry, "created", partial(self._record, draft))

    def _rewrite(self, row: Slot, draft: Draft) -> Slot:
        for name, value in draft.fields.items():
            setattr(row, name, value)
        return booking.rewrite_slot(row, now=self.now)

    def _record(self, draft: Draft) -> Appointment:
        appointment = Appointment(**draft.fields)
        return booking.record(appointment, draft.slots, caller=self.caller, now=self.now)

    def _amend(self, row: Appointment, draft: Draft) -> Appointment:
        if draft.slots and set(draft.slots) != {slot.pk for slot in row.slots.all()}:
            raise RuleBroken("An Appointment changes its Slots with $reschedule.", expression="Appointment.slot")
        judgement = self.judgements.get(row.fhir_id, NO_FINDINGS)
        values = rows.new_values(row, draft)
        return booking.amend(row.fhir_id, values, caller=self.caller, now=self.now, judgement=judgement)

    def _record_response(self, draft: Draft) -> AppointmentResponse:
        return booking.record_response(AppointmentResponse(**draft.fields), caller=self.caller, now=self.now)

    def _attempt(self, entry: Entry, outcome: Outcome, act: Callable[[], Any]) -> None:
        try:
            self._note(entry, act(), outcome)
        except ScheduleBusy:
            raise
        except (InvalidResource, SchedulingError) as error:
            self._refuse(entry, error)

    def _keeps_its_actor(self, row: Schedule, entry: Entry, draft: Draft) -> bool:
        if draft.fields["bookable_id"] == row.bookable_id or not Slot.objects.filter(schedule=row).exists():
            return True
        text = "A Schedule that has Slots keeps its actor. Make another Schedule."
        self._refuse(entry, RuleBroken(text, expression="Schedule.actor"))
        return False

    def _is_first(self, entry: Entry) -> bool:
        """True if the entry names no version; a new resource replaces none."""
        if entry.version:
            self._refuse(entry, VersionConflict(f"There is no {entry.reference} yet."))
        return not entry.version

    def _note(self, entry: Entry, row: Any, outcome: Outcome) -> None:
        self.known.add(entry.reference, row.pk)
        self.written.append(_written(entry, row, outcome))
        self.noted.append((row, outcome))
        if outcome in DONE:
            self.done[DONE[outcome]].append(row.pk)

    def _refuse(self, entry: Entry, error: SchedulingError | InvalidResource) -> None:
        self.problems.append(EntryProblem(entry.index, entry.reference, error))
        self.refused.add(entry.reference)


def _references(entries: Iterable[Entry]) -> set[str]:
    return References.collect(entry.resource for entry in entries)


def _waves(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries in an order that respects references: first those without references to others, such as sites
    before rooms.
    """
    waiting = {entry.reference: entry for entry in entries}
    wants = {name: References.collect([entry.resource]) & waiting.keys() - {name} for name, entry in waiting.items()}
    while waiting:
        ready = [name for name in waiting if not wants[name] & waiting.keys()] or list(waiting)
        yield [waiting.pop(name) for name in ready]


def _existing(kind: ResourceKind, entries: Sequence[Entry]) -> dict[str, Any]:
    """The rows of updates, deleted ones included, locked in a common order."""
    ids = [entry.fhir_id for entry in entries if entry.interaction == "update"]
    if not ids:
        return {}
    locked = rows_of(kind).filter(fhir_id__in=ids).select_for_update(no_key=True, of=("self",)).order_by("pk")
    return {row.reference: row for row in locked}


def _stays_deleted(row: Any) -> bool:
    """True if no update brings a deleted row back: the time of a visit may have been sold, and a patient about whom
    everything was deleted would be named by the visits that were kept.
    """
    return isinstance(row, (Slot, Appointment)) or (isinstance(row, Patient) and row.is_erased)
