"""The one path by which resources of other software become rows, be it one or three thousand.

Type after type, in the order in which they can refer to each other; a few statements for each, however many there
are. Slots and Appointments go through scheduling.booking and are held to its law.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from clinic.fhir.resources import RESOURCES, Draft, InvalidResource, References, ResourceKind, rows_of
from clinic.models import Appointment, Schedule, Slot
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import (
    RuleBroken,
    ScheduleBusy,
    SchedulingError,
    TimeTaken,
    VersionConflict,
)
from scheduling.interactions import rows
from scheduling.interactions.conditions import already_there
from scheduling.interactions.entries import BundleRefused, Entry, Problem, renamed

Outcome = Literal["created", "updated", "unchanged"]
Drafted = tuple[Entry, Draft]


class Deleted(SchedulingError):
    """The id belonged to a resource that is gone."""

    code = "deleted"


@dataclass(frozen=True)
class Written:
    """What became of an entry."""

    index: int
    reference: str
    outcome: Outcome
    version: int
    last_updated: datetime

    @property
    def location(self) -> str:
        return f"{self.reference}/_history/{self.version}"


def write(
    entries: Sequence[Entry],
    *,
    caller: Caller,
    now: datetime,
    base: str = "",
    progress: Callable[[int], object] = lambda count: None,
) -> list[Written]:
    """Write all of them in one transaction, or none, and say what became of each, in their order.

    What says nothing new makes no new version. Raises BundleRefused with everything that is wrong, Forbidden,
    ScheduleBusy. `base` is our own address; `progress` hears how many more entries are done.
    """
    for entry in entries:
        access.require(caller, entry.type, "u" if entry.is_update else "c")
    with booking.all_or_nothing():
        found = already_there(entries)
        names = {entry.reference: row.reference for entry, row in found}
        rest = renamed([entry for entry in entries if entry.reference not in names], names)
        writing = _Writing(References.load(_references(rest), base), caller, now, progress)
        writing.write(rest)
    matched = [Written(entry.index, row.reference, "unchanged", row.version, row.last_updated) for entry, row in found]
    return sorted([*matched, *writing.written], key=lambda each: each.index)


class _Writing:
    """One transaction's state: what is known, written and wrong so far."""

    def __init__(self, refs: References, caller: Caller, now: datetime, progress: Callable[[int], object]) -> None:
        self.refs = refs
        self.caller = caller
        self.now = now
        self.progress = progress
        self.written: list[Written] = []
        self.problems: list[Problem] = []
        self.refused: set[str] = set()
        self.unseen = 0
        self.locks: set[str] = set()

    def write(self, entries: Sequence[Entry]) -> None:
        by_type: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_type[entry.type].append(entry)
        timed = [*by_type["Slot"], *by_type["Appointment"]]
        self.locks = _references(timed) | {entry.reference for entry in timed}
        for name, kind in RESOURCES.items():
            for wave in _waves(by_type[name]):
                self._write_wave(kind, wave)
        if self.problems:
            raise BundleRefused(self.problems, self.unseen)

    def _write_wave(self, kind: ResourceKind, entries: Sequence[Entry]) -> None:
        drafted = [(entry, draft) for entry in entries if (draft := self._draft(kind, entry)) is not None]
        if kind.model is Schedule:
            rows.set_bookables(draft for _, draft in drafted)
        if kind.model in (Slot, Appointment):
            self._lock()
        existing = _existing(kind, [entry for entry, _ in drafted])
        new = [each for each in drafted if each[0].reference not in existing]
        old = [(existing[entry.reference], entry, draft) for entry, draft in drafted if entry.reference in existing]
        changed = [each for each in old if self._may_replace(*each)]
        if kind.model is Appointment:
            self._write_appointments(new, changed)
        elif kind.model is Slot:
            self._write_slots(new, changed)
        else:
            self._write_rows(kind, new, changed)

    def _lock(self) -> None:
        """Once, for all Slots and Appointments, and as late as can be: while it is locked nobody else can book."""
        booking.lock_for(self.locks)
        self.locks = set()

    def _draft(self, kind: ResourceKind, entry: Entry) -> Draft | None:
        """None, and a problem, for what cannot be read; None for what refers to such."""
        self.progress(1)
        if self.refused and self.refused & References.collect([entry.resource]):
            self.unseen += 1
            self.refused.add(entry.reference)
            return None
        assert kind.from_fhir is not None  # entries are of types that can be written
        try:
            return kind.from_fhir(entry.resource, self.refs)
        except InvalidResource as error:
            self._refuse(entry, error)
            return None

    def _may_replace(self, row: Any, entry: Entry, draft: Draft) -> bool:
        """Whether there is something to write. What is unchanged is noted as such."""
        if row.deleted_at is not None:
            self._refuse(entry, Deleted(f"{entry.reference} was deleted. Use another id."))
        elif entry.version is not None and entry.version != row.version:
            self._refuse(entry, VersionConflict())
        elif not rows.is_changed(row, draft):
            self._note(entry, row, "unchanged")
        else:
            return True
        return False

    def _write_rows(
        self, kind: ResourceKind, new: Sequence[Drafted], changed: Sequence[tuple[Any, Entry, Draft]]
    ) -> None:
        if kind.model is Schedule:
            changed = [each for each in changed if self._keeps_its_actor(*each)]
        new = [each for each in new if self._is_first(*each)]
        for (entry, _), row in zip(
            new, rows.insert(kind.model, [draft for _, draft in new], now=self.now), strict=True
        ):
            self._note(entry, row, "created")
        rows.overwrite(kind.model, [(row, draft) for row, _, draft in changed], now=self.now)
        for row, entry, _ in changed:
            self._note(entry, row, "updated")

    def _write_slots(self, new: Sequence[Drafted], changed: Sequence[tuple[Slot, Entry, Draft]]) -> None:
        for row, entry, draft in changed:
            self._attempt(entry, "updated", partial(self._rewrite, row, draft))
        slots = {
            entry.fhir_id: Slot(**draft.fields, last_updated=self.now)
            for entry, draft in new
            if self._is_first(entry, draft)
        }
        taken = {slot.fhir_id for slot in booking.write_slots(list(slots.values()))}
        for entry, _ in new:
            if entry.fhir_id in taken:
                self._refuse(entry, TimeTaken("This time is taken by another Slot.", expression="Slot"))
            elif entry.fhir_id in slots:
                self._note(entry, slots[entry.fhir_id], "created")

    def _write_appointments(self, new: Sequence[Drafted], changed: Sequence[tuple[Appointment, Entry, Draft]]) -> None:
        for row, entry, draft in changed:
            self._attempt(entry, "updated", partial(self._amend, row, draft))
        for entry, draft in new:
            if self._is_first(entry, draft):
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
        return booking.amend(row.fhir_id, dict(draft.fields), caller=self.caller, now=self.now)

    def _attempt(self, entry: Entry, outcome: Outcome, act: Callable[[], Any]) -> None:
        try:
            self._note(entry, act(), outcome)
        except ScheduleBusy:
            raise
        except SchedulingError as error:
            self._refuse(entry, error)

    def _keeps_its_actor(self, row: Schedule, entry: Entry, draft: Draft) -> bool:
        if draft.fields["bookable_id"] == row.bookable_id or not Slot.objects.filter(schedule=row).exists():
            return True
        text = "A Schedule that has Slots keeps its actor. Make another Schedule."
        self._refuse(entry, RuleBroken(text, expression="Schedule.actor"))
        return False

    def _is_first(self, entry: Entry, draft: Draft) -> bool:
        """What is new replaces no version."""
        if entry.version is not None:
            self._refuse(entry, VersionConflict(f"There is no {entry.reference} yet."))
        return entry.version is None

    def _note(self, entry: Entry, row: Any, outcome: Outcome) -> None:
        self.refs.add(entry.reference, row.pk)
        self.written.append(Written(entry.index, entry.reference, outcome, row.version, row.last_updated))

    def _refuse(self, entry: Entry, error: SchedulingError | InvalidResource) -> None:
        self.problems.append(Problem(entry.index, entry.reference, error))
        self.refused.add(entry.reference)


def _references(entries: Iterable[Entry]) -> set[str]:
    return References.collect(entry.resource for entry in entries)


def _waves(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Those that refer to none of the others, then those that refer only to the first, and so on: rooms after sites."""
    waiting = {entry.reference: entry for entry in entries}
    wants = {name: References.collect([entry.resource]) & waiting.keys() - {name} for name, entry in waiting.items()}
    while waiting:
        ready = [name for name in waiting if not wants[name] & waiting.keys()] or list(waiting)
        yield [waiting.pop(name) for name in ready]


def _existing(kind: ResourceKind, entries: Sequence[Entry]) -> dict[str, Any]:
    """The rows of updates, deleted ones too, locked in one order."""
    ids = [entry.fhir_id for entry in entries if entry.is_update]
    if not ids:
        return {}
    locked = rows_of(kind).filter(fhir_id__in=ids).select_for_update(no_key=True, of=("self",)).order_by("pk")
    return {row.reference: row for row in locked}
