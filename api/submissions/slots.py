"""The Slots that a proposal contains: those of the visit and its buffers, on every schedule."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.parameters import moment, reference_to
from api.submissions.submission import Submission, objects
from clinic.fhir.datatypes import Json
from scheduling.availability import Offering
from scheduling.core.grid import is_on_grid

BUSY, UNAVAILABLE = "busy", "busy-unavailable"
OFF_GRID = "Slot start time is not aligned to the scheduling grid"


@dataclass(frozen=True)
class ProposedSlot:
    """A Slot contained in the proposal; `at` is where."""

    at: str
    schedule: str
    status: str
    start: datetime
    end: datetime

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60


def read_slots(submission: Submission) -> list[ProposedSlot]:
    """The contained Slots, if every one of them can be read."""
    contained = [(n, each) for n, each in objects(submission.sent.get("contained")) if is_slot(each)]
    if not contained:
        submission.refuse("Appointment has no contained Slot resources", "contained")
    slots = [_slot(submission, each, f"contained[{n}]") for n, each in contained]
    readable = [slot for slot in slots if slot is not None]
    return readable if len(readable) == len(slots) else []


def _slot(submission: Submission, sent: Json, at: str) -> ProposedSlot | None:
    found = len(submission.issues)
    schedule = sent.get("schedule")
    if not isinstance(schedule, dict) or "reference" not in schedule:
        submission.refuse("Slot missing schedule reference", f"{at}.schedule")
    else:
        read = reference_to("Schedule", submission.base, "schedule reference")
        schedule = submission.read(read, schedule, f"{at}.schedule")
    status = sent.get("status")
    if status not in (BUSY, UNAVAILABLE):
        text = f"Slot status must be 'busy' or 'busy-unavailable', got '{str(status)[:64]}'"
        submission.refuse(text, f"{at}.status")
    start = submission.read(moment, sent.get("start"), f"{at}.start")
    end = submission.read(moment, sent.get("end"), f"{at}.end")
    if start and end and start >= end:
        submission.refuse("Slot must cover a positive duration", f"{at}.end")
    if len(submission.issues) > found or not (start and end):
        return None
    return ProposedSlot(at, str(schedule), str(status), start, end)


def check_times(submission: Submission, slots: list[ProposedSlot]) -> None:
    """The visit is at one time on every schedule, and that is the time of the Appointment."""
    visits = [slot for slot in slots if slot.status == BUSY]
    for slot in visits[1:]:
        if slot.start != visits[0].start:
            submission.refuse("Mismatched slot start times", f"{slot.at}.start")
        if slot.end != visits[0].end:
            submission.refuse("Mismatched slot end times", f"{slot.at}.end")
    for name in ("start", "end"):
        if name in submission.sent:
            said = submission.read(moment, submission.sent[name], name)
            if said and visits and said != getattr(visits[0], name):
                submission.refuse(f"Appointment.{name} is not the {name} of its busy Slots", name)


def check_fit(submission: Submission, offering: Offering, slots: list[ProposedSlot]) -> None:
    """The Slots of one schedule are those that the service takes there."""
    visits = [slot for slot in slots if slot.status == BUSY]
    if len(visits) != 1:
        submission.refuse("Expected exactly one 'busy' slot per schedule", slots[0].at)
        return
    visit, rules = visits[0], offering.rules
    if visit.minutes * 60 != rules.duration:
        submission.refuse("Slot duration does not match scheduling parameters duration", f"{visit.at}.end")
    if visit.start.microsecond or not is_on_grid(rules.grid, int(visit.start.timestamp())):
        submission.refuse(OFF_GRID, f"{visit.at}.start", "business-rule")
    buffers = [slot for slot in slots if slot.status == UNAVAILABLE]
    before = [slot for slot in buffers if slot.end == visit.start]
    after = [slot for slot in buffers if slot.start == visit.end]
    _buffer(submission, before, rules.buffer_before / 60, visit, "before")
    _buffer(submission, after, rules.buffer_after / 60, visit, "after")
    for slot in buffers:
        if slot not in before and slot not in after:
            submission.refuse("A 'busy-unavailable' slot is the buffer before or after the busy slot", slot.at)


def _buffer(submission: Submission, found: list[ProposedSlot], minutes: float, visit: ProposedSlot, side: str) -> None:
    parameter = f"buffer{side.capitalize()}"
    if minutes and len(found) != 1:
        edge = "ending at the start" if side == "before" else "starting at the end"
        text = f"Expected exactly one 'busy-unavailable' slot {edge} of the busy slot ({parameter})"
        submission.refuse(text, found[1].at if found else visit.at)
        return
    for slot in found:
        if slot.minutes != minutes:
            length = f"Buffer-{side} slot duration ({slot.minutes:g} min)"
            text = f"{length} does not match scheduling parameters {parameter} ({minutes:g} min)"
            submission.refuse(text, slot.at)


def is_slot(resource: Json) -> bool:
    return resource.get("resourceType") == "Slot"


def are_contained(references: Any) -> bool:
    """True if Slots are referred to as those that the resource contains, as our proposals do."""
    listed = references if isinstance(references, list) else [references]
    return all(isinstance(each, dict) and str(each.get("reference")).startswith("#") for each in listed)


def without_slots(sent: Json) -> Json:
    """The Appointment that says nothing of its Slots: they are read by themselves."""
    kept = {name: value for name, value in sent.items() if name != "slot"}
    if isinstance(contained := kept.pop("contained", None), list):
        contained = [each for each in contained if not (isinstance(each, dict) and is_slot(each))]
    return {**kept, "contained": contained} if contained else kept
