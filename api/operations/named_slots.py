"""Free Slots that an Appointment refers to, computed or stored, and the one time that they make together.

Consecutive Slots of one Schedule are one longer visit; Slots of several Schedules are one visit that takes all of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from api.operations.ids import read_free_slot_id
from api.operations.parameters import reference_to, refusal
from api.operations.proposals import are_contained
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.issues import InvalidElement
from clinic.models import Slot
from scheduling.availability import Offering, as_datetime
from scheduling.errors import Issue, RuleBroken

MOST_SLOTS = 300
LONGEST_VISIT = timedelta(days=1)


@dataclass(frozen=True)
class NamedSlot:
    """A Slot that an Appointment names. `at` is its FHIRPath, `schedule` a primary key.

    Computed free time is of one `service` (a primary key), and as long as its visit; a stored Slot has a `row`.
    """

    at: str
    schedule: int
    start: datetime
    service: int | None = None
    row: Slot | None = None


def read_named_slots(resource: Json, at: str, base: str) -> tuple[NamedSlot, ...]:
    """Return the Slots that the Appointment at this FHIRPath refers to; none if it contains its Slots.

    Raises NotFound or Invalid with every problem. One statement, if there are stored Slots among them.
    """
    if are_contained(resource.get("slot", [])):
        return ()
    read = reference_to("Slot", base, "slot reference")
    ids: dict[str, str] = {}
    issues = []
    named = resource["slot"] if isinstance(resource["slot"], list) else [resource["slot"]]
    for n, reference in enumerate(named[: MOST_SLOTS + 1]):
        place = f"{at}.slot[{n}].reference"
        try:
            fhir_id = read(reference if isinstance(reference, dict) else None)
        except InvalidElement as error:
            issues.append(Issue(error.code, error.text, place))
            continue
        if fhir_id in ids:
            issues.append(Issue("invalid", f"Slot/{fhir_id} is named twice.", place))
        ids[fhir_id] = place
    if len(ids) > MOST_SLOTS:
        issues.append(Issue("too-costly", f"An Appointment names {MOST_SLOTS} Slots at most.", f"{at}.slot"))
    slots = {} if issues else _found(ids)
    issues += [
        Issue("not-found", f"There is no free Slot/{fhir_id}: it was taken or deleted. Search again.", place)
        for fhir_id, place in ids.items()
        if not issues and fhir_id not in slots
    ]
    if issues:
        raise refusal(issues)
    return tuple(slots[fhir_id] for fhir_id in ids)


def _found(ids: Mapping[str, str]) -> dict[str, NamedSlot]:
    """The Slots with these ids. Stored ones that are taken are among them: the booking refuses them as taken."""
    slots: dict[str, NamedSlot] = {}
    for fhir_id, place in ids.items():
        if free := read_free_slot_id(fhir_id):
            slots[fhir_id] = NamedSlot(place, free.schedule, as_datetime(free.start), free.service)
    others = ids.keys() - slots.keys()
    rows = Slot.objects.filter(fhir_id__in=others, deleted_at=None).exclude(status=Slot.Status.ENTERED_IN_ERROR)
    for row in rows if others else ():
        slots[row.fhir_id] = NamedSlot(ids[row.fhir_id], row.schedule_id, row.start, row=row)
    return slots


def time_of(slots: Sequence[NamedSlot], offerings: Sequence[Offering]) -> tuple[datetime, datetime]:
    """Return the one time [start, end) that the Slots make on all these offerings, which are those of their schedules.

    Raises RuleBroken, which says what would be right, if the Slots of a schedule do not follow each other, if the
    schedules have different times, or if the time is not as long as the visits of the service.
    """
    spans: dict[int, list[tuple[datetime, datetime, str]]] = defaultdict(list)
    durations = {each.schedule: timedelta(seconds=each.rules.duration) for each in offerings}
    for slot in slots:
        end = slot.row.end if slot.row else slot.start + durations[slot.schedule]
        spans[slot.schedule].append((slot.start, end, slot.at))
    times = {schedule: _consecutive(sorted(parts)) for schedule, parts in spans.items()}
    start, end = times[slots[0].schedule]
    for schedule, time in times.items():
        if time != (start, end):
            text = (
                f"This Schedule would be taken {_text(*time)}, the first one {_text(start, end)}."
                " A visit takes all its Schedules at the same time: name Slots of that time on each."
            )
            raise RuleBroken(text, expression=spans[schedule][0][2])
    visits, rest = divmod(end - start, durations[slots[0].schedule])
    if rest or not 0 < visits <= len(spans[slots[0].schedule]) or end - start > LONGEST_VISIT:
        minutes = durations[slots[0].schedule] // timedelta(minutes=1)
        text = f"These Slots are {_text(start, end)}. A visit takes {minutes} minutes: name a free Slot for each visit."
        raise RuleBroken(text, expression=slots[0].at)
    return start, end


def _consecutive(parts: Sequence[tuple[datetime, datetime, str]]) -> tuple[datetime, datetime]:
    for (_, end, _), (start, _, at) in pairwise(parts):
        if start != end:
            text = (
                f"Name consecutive Slots: this one starts at {instant(start)}, the one before ends at {instant(end)}."
            )
            raise RuleBroken(text, expression=at)
    return parts[0][0], parts[-1][1]


def _text(start: datetime, end: datetime) -> str:
    return f"from {instant(start)} to {instant(end)}"
