"""The new time of a visit that has one already: its Slots, its site, and the actors of its new schedules."""

from collections.abc import Sequence
from datetime import datetime

from clinic.models import Appointment, HealthcareService, Slot
from scheduling import availability
from scheduling.availability import Offering
from scheduling.booking.request import Json, RescheduleRequest, as_changed, participants_of
from scheduling.booking.slots import BUSY, TENTATIVE, release, slots_of, take
from scheduling.booking.transitions import save
from scheduling.errors import TimeTaken
from scheduling.participants import actor_of, attending, awaiting_answers, participant, references_of


def own_slots(appointment: Appointment) -> list[Slot]:
    """The Slots of the visit, with their schedules and actors."""
    return list(Slot.objects.filter(appointment=appointment, deleted_at=None).select_related("schedule"))


def to_time_of(hold: Appointment) -> tuple[list[int], RescheduleRequest]:
    """Return the bookables of a held time, and the request that moves another visit to it.

    Raises RuleBroken if something that the visit needs has been closed meanwhile.
    """
    bookables = availability.require_still_available(hold)
    held = availability.moved_visit_of(hold)
    assert hold.start is not None  # it was placed at a time
    return bookables, RescheduleRequest(offerings=held.offerings(held.own, with_extras=False), start=hold.start)


def move(
    appointment: Appointment,
    old: Sequence[Slot],
    request: RescheduleRequest,
    *,
    now: datetime,
    undoable: bool = False,
) -> None:
    """Save a locked visit at the requested time, release its `old` Slots, and take the time.

    Actors of schedules that it leaves are replaced by those of the new schedules. Needs `own_bookables`. It does not
    check that the time is offered; raises TimeTaken. For `undoable` see `release`.
    """
    assert appointment.service is not None  # the caller has checked it
    places = len(attending(appointment.participant))
    seats = seats_for(appointment.service, request.offerings, request.start, places, now=now, without=appointment)
    leave_time(appointment, old, request, now=now, undoable=undoable)
    take_time(appointment, request, seats, now=now)


def leave_time(
    appointment: Appointment,
    old: Sequence[Slot],
    request: RescheduleRequest,
    *,
    now: datetime,
    undoable: bool = False,
) -> None:
    """Save a locked visit at the requested time, and release its `old` Slots. Needs `own_bookables`."""
    participants = _with_new_actors(appointment, old, request.offerings)
    appointment.participant = awaiting_answers(participants) if appointment.is_request else participants
    appointment.start, appointment.end = request.start, request.end
    appointment.site_id = site_of(request.offerings)
    if appointment.occurrence is not None:
        appointment.extra = as_changed(appointment.extra)
    save(appointment, now)
    release(appointment, now=now, undoable=undoable)


def take_time(
    appointment: Appointment, request: RescheduleRequest, seats: dict[int, list[int | None]], *, now: datetime
) -> None:
    """Take the time of a visit that was saved at the requested time. Raises TimeTaken."""
    status = TENTATIVE if appointment.status == Appointment.Status.PENDING else BUSY
    take(appointment, slots_of(request.offerings, request.start, status, seats, now=now))


def become(appointment: Appointment, service: HealthcareService) -> None:
    """Make a locked visit one of another service, without saving it. Its types are the service's from now on."""
    former = appointment.service.reference if appointment.service else ""
    appointment.service = service
    appointment.extra = {name: value for name, value in appointment.extra.items() if name != "serviceType"}
    actor = {"reference": service.reference, "display": service.name}
    appointment.participant = [
        {**each, "actor": actor} if actor_of(each) == former else each for each in appointment.participant
    ]


def seats_for(
    service: HealthcareService,
    offerings: Sequence[Offering],
    start: datetime,
    places: int,
    *,
    now: datetime,
    without: Appointment | None = None,
) -> dict[int, list[int | None]]:
    """The seats on each schedule for so many patients, for one at least. Raises TimeTaken if not so many are free."""
    places = max(places, 1)
    seats = availability.seats(service, offerings, start, now=now, without=without, places=places)
    if any(None not in taken and len(taken) < places for taken in seats.values()):
        raise TimeTaken
    return seats


def site_of(offerings: tuple[Offering, ...]) -> int | None:
    """The primary key of the site of a visit on these schedules."""
    return next((offering.site for offering in offerings if offering.site is not None), None)


def _with_new_actors(appointment: Appointment, old: Sequence[Slot], offerings: tuple[Offering, ...]) -> list[Json]:
    """The participants with the actors of the old schedules replaced by those of the new ones.

    A practitioner who takes part as a person, not in a role, is replaced by a person; the site is replaced by the next
    site.
    """
    leaving = {slot.schedule.actor.reference for slot in old} | {slot.bookable.actor.reference for slot in old}
    named = set(references_of(appointment.participant))
    in_person = not references_of(appointment.participant, "PractitionerRole/")
    if in_person:
        offerings = tuple(each._replace(actor=each.person) for each in offerings)
    coming = participants_of(offerings, (), "accepted")
    if appointment.site is not None and appointment.site.reference in named - leaving:
        leaving.add(appointment.site.reference)
        coming += _sites(offerings)
    names = set(references_of(coming))
    kept = [each for each in appointment.participant if actor_of(each) not in leaving or actor_of(each) in names]
    present = set(references_of(kept))
    return [each for each in coming if actor_of(each) not in present] + kept


def _sites(offerings: tuple[Offering, ...]) -> list[Json]:
    sites = {each.site_reference: each.site_name for each in offerings if each.site_reference}
    return [participant(reference, name, "accepted") for reference, name in sites.items()]
