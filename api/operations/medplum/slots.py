"""Slots that a proposal contains: the visit and its buffers, on every schedule."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from api.operations.parameters import Reader, T, moment, reference_to
from api.operations.proposals import is_slot, objects
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from scheduling.availability import Offering
from scheduling.core.grid import is_on_grid
from scheduling.errors import Issue

BUSY, UNAVAILABLE = "busy", "busy-unavailable"
OFF_GRID = "Slot start time is not aligned to the scheduling grid"


HERE = "Parameters.appointment"


class ProposalReader:
    """The reader of a proposal, which collects the problems that it finds."""

    def __init__(self, appointment: Json, base: str) -> None:
        self.appointment = appointment
        self.base = base
        self.issues: list[Issue] = []

    def read(self, read: Reader[T], value: Any, at: str) -> T | None:
        try:
            return read(value)
        except InvalidElement as error:
            self.refuse(error.text, f"{at}{error.at}", error.code)
            return None

    def refuse(self, text: str, at: str, code: str = "invalid") -> None:
        self.issues.append(Issue(code, text, f"{HERE}.{at}"))


@dataclass(frozen=True)
class ProposedSlot:
    """A Slot contained in the proposal; `at` is its FHIRPath. Consecutive busy Slots are read as one of several
    `visits`.
    """

    at: str
    schedule: str
    status: str
    start: datetime
    end: datetime
    visits: int = 1

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60


def read_slots(reader: ProposalReader) -> list[ProposedSlot]:
    """Return the contained Slots; none if one of them cannot be read."""
    contained = [(n, each) for n, each in objects(reader.appointment.get("contained")) if is_slot(each)]
    if not contained:
        reader.refuse("Appointment has no contained Slot resources", "contained")
    slots = [_slot(reader, each, f"contained[{n}]") for n, each in contained]
    readable = [slot for slot in slots if slot is not None]
    return _joined(readable) if len(readable) == len(slots) else []


def _joined(slots: list[ProposedSlot]) -> list[ProposedSlot]:
    """Return the Slots with consecutive busy ones of a schedule as one, in the place of the first."""
    joined: list[ProposedSlot] = []
    for slot in sorted(slots, key=lambda slot: slot.start):
        before = next((n for n, each in enumerate(joined) if _follows(slot, each)), None)
        if before is None:
            joined.append(slot)
        else:
            joined[before] = replace(joined[before], end=slot.end, visits=joined[before].visits + 1)
    order = {slot.at: n for n, slot in enumerate(slots)}
    return sorted(joined, key=lambda slot: order[slot.at])


def _follows(slot: ProposedSlot, before: ProposedSlot) -> bool:
    return (before.schedule, before.status, before.end) == (slot.schedule, BUSY, slot.start) and slot.status == BUSY


def _slot(reader: ProposalReader, slot: Json, at: str) -> ProposedSlot | None:
    found = len(reader.issues)
    schedule = slot.get("schedule")
    if not isinstance(schedule, dict) or "reference" not in schedule:
        reader.refuse("Slot missing schedule reference", f"{at}.schedule")
    else:
        read = reference_to("Schedule", reader.base, "schedule reference")
        schedule = reader.read(read, schedule, f"{at}.schedule")
    status = slot.get("status")
    if status not in (BUSY, UNAVAILABLE):
        text = f"Slot status must be 'busy' or 'busy-unavailable', got '{str(status)[:64]}'"
        reader.refuse(text, f"{at}.status")
    start = reader.read(moment, slot.get("start"), f"{at}.start")
    end = reader.read(moment, slot.get("end"), f"{at}.end")
    if start and end and start >= end:
        reader.refuse("Slot must cover a positive duration", f"{at}.end")
    if len(reader.issues) > found or not (start and end):
        return None
    return ProposedSlot(at, str(schedule), str(status), start, end)


def check_times(reader: ProposalReader, slots: list[ProposedSlot]) -> None:
    """Check that the visit has one time on every schedule, and that it is the Appointment's."""
    visits = list({slot.schedule: slot for slot in reversed(slots) if slot.status == BUSY}.values())[::-1]
    for slot in visits[1:]:
        if slot.start != visits[0].start:
            reader.refuse("Mismatched slot start times", f"{slot.at}.start")
        if slot.end != visits[0].end:
            reader.refuse("Mismatched slot end times", f"{slot.at}.end")
    for name in ("start", "end"):
        if name in reader.appointment:
            time = reader.read(moment, reader.appointment[name], name)
            if time and visits and time != getattr(visits[0], name):
                reader.refuse(f"Appointment.{name} is not the {name} of its busy Slots", name)


def check_fit(reader: ProposalReader, offering: Offering, slots: list[ProposedSlot]) -> None:
    """Check that the Slots of one schedule are the visit and the buffers of the service there."""
    visits = [slot for slot in slots if slot.status == BUSY]
    if len(visits) != 1:
        text = "Expected exactly one 'busy' slot per schedule, or several that follow each other without a gap"
        reader.refuse(text, slots[0].at, "business-rule" if visits else "invalid")
        return
    visit, rules = visits[0], offering.rules
    times, rest = divmod(visit.minutes * 60, rules.duration)
    if rest or not 1 <= times <= visit.visits:
        reader.refuse("Slot duration does not match scheduling parameters duration", f"{visit.at}.end")
    if visit.start.microsecond or not is_on_grid(rules.grid, int(visit.start.timestamp())):
        reader.refuse(OFF_GRID, f"{visit.at}.start", "business-rule")
    buffers = [slot for slot in slots if slot.status == UNAVAILABLE]
    before = [slot for slot in buffers if slot.end == visit.start]
    after = [slot for slot in buffers if slot.start == visit.end]
    _buffer(reader, before, rules.buffer_before / 60, visit, "before")
    _buffer(reader, after, rules.buffer_after / 60, visit, "after")
    for slot in buffers:
        if slot not in before and slot not in after:
            reader.refuse("A 'busy-unavailable' slot is the buffer before or after the busy slot", slot.at)


def _buffer(reader: ProposalReader, found: list[ProposedSlot], minutes: float, visit: ProposedSlot, side: str) -> None:
    parameter = f"buffer{side.capitalize()}"
    if minutes and len(found) != 1:
        edge = "ending at the start" if side == "before" else "starting at the end"
        text = f"Expected exactly one 'busy-unavailable' slot {edge} of the busy slot ({parameter})"
        reader.refuse(text, found[1].at if found else visit.at)
        return
    for slot in found:
        if slot.minutes != minutes:
            length = f"Buffer-{side} slot duration ({slot.minutes:g} min)"
            text = f"{length} does not match scheduling parameters {parameter} ({minutes:g} min)"
            reader.refuse(text, slot.at)
