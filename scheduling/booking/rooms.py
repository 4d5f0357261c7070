"""The rooms and devices that a visit gets once its patient has come: the free ones at its site, and the use case."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from clinic.local_time import later
from clinic.models import OCCUPYING, Appointment, Device, Location, Schedule, Slot
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.arrivals import HERE
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.moves import own_slots
from scheduling.booking.request import WITHOUT_REASON, Json
from scheduling.booking.slots import BUSY, own_bookables, replace_slots
from scheduling.booking.steps import take_step
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import IllegalTransition, NotFound, RuleBroken
from scheduling.participants import actor_of, participant
from scheduling.versions import Versions


@dataclass(frozen=True, kw_only=True)
class RoomRequest:
    """The rooms and devices that a visit uses from now on, by the ids of their schedules. It lets go of all others.

    `status` is a step that is recorded with it: arrived, or checked-in, which calls the patient in. `version` is the
    one that staff have seen; another is refused.
    """

    schedules: Collection[str]
    status: str = ""
    version: Versions | None = None


@use_case
def give_rooms(
    appointment_id: str, request: RoomRequest, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Let a visit whose patient has come use rooms and devices of its site, under the constraint of every booking.

    Raises TimeTaken if one is not free any more, NotFound for one of another site. A visit that shares its room with
    others keeps it.
    """
    visit = locked(appointment_id, caller, request.version)
    if not access.is_exempt_from_cutoffs(caller, visit):
        raise RuleBroken(_("Only clinic staff can record the steps of a visit."))
    if request.status:
        take_step(visit, request.status, WITHOUT_REASON, caller=caller, now=now)
    if visit.status not in HERE:
        raise IllegalTransition(visit.status, "given a room")
    places = {place.pk: place for place in rooms_in_use(visit)}
    left = [slot for slot in own_slots(visit) if slot.schedule_id in places]
    left = [slot for slot in left if places[slot.schedule_id].fhir_id not in request.schedules]
    present = {place.fhir_id for place in places.values()}
    new = [_one(visit, schedule_id) for schedule_id in sorted(set(request.schedules) - present)]
    if any(slot.seat is not None and not slot.is_extra for slot in left):
        raise RuleBroken(_("This visit shares its room with others, who keep it."))
    if not left and not new:
        return visit
    own_bookables([*(slot.bookable_id for slot in left), *(room.bookable_id for room in new)])
    leaving = {places[slot.schedule_id].bookable.actor.reference for slot in left}
    kept = [each for each in visit.participant if actor_of(each) not in leaving]
    visit.participant = [*kept, *_participants(new, kept)]
    save(visit, now)
    replace_slots(visit, left, _slots(visit, new, now), now=now)
    audit("room", visit, caller=caller, now=now)
    return visit


def rooms_in_use(visit: Appointment) -> list[Schedule]:
    """The schedules of the rooms and devices that the visit takes, in the order of `free_rooms`."""
    taken = Slot.objects.filter(appointment=visit, deleted_at=None).exclude(status=Slot.Status.BUSY_UNAVAILABLE)
    return list(_places().filter(pk__in=taken.values("schedule")))


def free_rooms(visit: Appointment, *, now: datetime) -> list[Schedule]:
    """The schedules of the rooms and devices at the visit's site that it can use from now on, one for each of them."""
    start, end = _time(visit, now)
    taken = Slot.objects.filter(
        Q(hold_expires_at=None) | Q(hold_expires_at__gt=now),
        bookable=OuterRef("bookable"),
        status__in=OCCUPYING,
        start__lt=end,
        end__gt=start,
        deleted_at=None,
    )
    rows = _rooms_at([visit.site_id]).filter(~Exists(taken))
    return list({room.bookable_id: room for room in rows}.values())


def has_rooms(sites: Collection[Location]) -> bool:
    """True if there are rooms or devices with a calendar at one of the sites."""
    return _rooms_at(site.pk for site in sites).exists()


def _places() -> QuerySet[Schedule]:
    rows = Schedule.objects.filter(Q(bookable__location__isnull=False) | Q(bookable__device__isnull=False))
    rows = rows.select_related("bookable__location", "bookable__device")
    return rows.order_by("bookable__location__name", "bookable__device__name", "pk")  # rooms first


def _rooms_at(sites: Iterable[int | None]) -> QuerySet[Schedule]:
    in_use = Q(bookable__location__status=Location.Status.ACTIVE, bookable__location__deleted_at=None) | Q(
        bookable__device__status=Device.Status.ACTIVE, bookable__device__deleted_at=None
    )
    return _places().filter(in_use, site__in=list(sites), active=True, deleted_at=None)


def _one(visit: Appointment, schedule_id: str) -> Schedule:
    room = _rooms_at([visit.site_id]).filter(fhir_id=schedule_id).first()
    if room is None:
        raise NotFound(_("There is no such room at the site of the visit."))
    return room


def _time(visit: Appointment, now: datetime) -> tuple[datetime, datetime]:
    """The time for which the visit takes a room: its own, or, once that has begun, as long from now on."""
    assert visit.start is not None  # a visit whose patient comes has a time
    assert visit.end is not None
    start = max(visit.start, now.replace(second=0, microsecond=0))
    return start, later(start, visit.end - visit.start)


def _slots(visit: Appointment, rooms: Iterable[Schedule], now: datetime) -> list[Slot]:
    """The unsaved Slots of the rooms, in the order in which every booking takes time."""
    start, end = _time(visit, now)
    return [
        Slot(schedule=room, bookable_id=room.bookable_id, status=BUSY, start=start, end=end, last_updated=now)
        for room in sorted(rooms, key=lambda room: room.bookable_id)
    ]


def _participants(rooms: Iterable[Schedule], present: Iterable[Json]) -> list[Json]:
    """The participants of the rooms. Devices are left out, as the IHE and Argonaut profiles demand."""
    references = set(map(actor_of, present))
    places = (room.bookable.location for room in rooms)
    return [
        participant(place.reference, place.name, "accepted")
        for place in places
        if place is not None and place.reference not in references
    ]
