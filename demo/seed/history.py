"""A year of past visits for the demo's reports: the week before last again and again, thinned out."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import Appointment, Encounter, Slot
from demo.seed.people import VISITS
from demo.seed.rows import DemoRows
from demo.seed.traces import encounter_of
from scheduling.core.hours import days_later

WEEKS = 50
FEWEST, MOST = 0.25, 0.55  # of the visits of the week that is repeated: the clinic has grown
CONFIRMED, LATE = 0.6, 0.3  # of those that were to come about, and of those that were cancelled
Status = Appointment.Status
NAMED = {patient for patient, *_ in VISITS}
SHARES = {Status.FULFILLED: 87, Status.CANCELLED: 8, Status.NOSHOW: 5}


def write_history(visits: Sequence[Appointment], rows: DemoRows, *, now: datetime) -> None:
    """Write visits like those of the week before last for each of the weeks before, by the clocks of their sites.

    They are rows as an import would leave them, without messages and lines of the audit.
    """
    random = Random(50)
    zones = {site.pk: ZoneInfo(site.timezone) for site in rows.sites.values()}
    week = [each for each in visits if _is_repeated(each, zones.get(each.site_id or 0), now)]
    slots: dict[int, list[Slot]] = {each.pk: [] for each in week}
    for slot in Slot.objects.filter(appointment__in=list(slots), deleted_at=None):
        assert slot.appointment_id is not None
        slots[slot.appointment_id].append(slot)
    copies: list[tuple[Appointment, list[Slot]]] = []
    for back in range(1, WEEKS + 1):
        share = MOST - (MOST - FEWEST) * back / WEEKS
        for visit in week:
            zone = zones[visit.site_id or 0]
            moved = [_moved(slot, back, zone) for slot in slots[visit.pk]]
            if random.random() < share and all(slot.start < slot.end for slot in moved):
                copy = _copy(visit, back, zone, random)
                copies.append((copy, moved if copy.status != Status.CANCELLED else []))
    Appointment.objects.bulk_create([visit for visit, _ in copies], batch_size=500)
    Slot.objects.bulk_create(_slots(copies), batch_size=1000)
    came = (visit for visit, _ in copies if visit.status == Status.FULFILLED)
    Encounter.objects.bulk_create((encounter_of(visit, now, random) for visit in came), batch_size=500)


def _is_repeated(visit: Appointment, zone: ZoneInfo | None, now: datetime) -> bool:
    """True for a visit of the week before last that came about, of nobody who has a story of their own, and without
    money that its copies would not have.

    The week is seven whole days at its site: a visit at an hour of the day after would have a copy beside the first.
    """
    if visit.start is None or zone is None or visit.status != Status.FULFILLED or visit.has_payment:
        return False
    days_ago = (now.astimezone(zone).date() - visit.start.astimezone(zone).date()).days
    is_named = visit.patient is not None and visit.patient.fhir_id in NAMED
    return 7 < days_ago <= 14 and not is_named


def _copy(visit: Appointment, weeks: int, zone: ZoneInfo, random: Random) -> Appointment:
    assert visit.start is not None
    assert visit.end is not None
    start, end = (_earlier(moment, weeks, zone) for moment in (visit.start, visit.end))
    copy = Appointment(
        status=random.choices(list(SHARES), list(SHARES.values()))[0],
        service=visit.service,
        patient=visit.patient,
        site_id=visit.site_id,
        start=start,
        end=end,
        created=start - timedelta(hours=random.randrange(100, 400)),
        last_updated=end,
        comment=visit.comment,
        participant=visit.participant,
        extra=visit.extra,
    )
    if copy.status == Status.CANCELLED:
        is_late = random.random() < LATE
        copy.last_updated = start - timedelta(hours=random.randrange(1, 20) if is_late else random.randrange(30, 90))
        copy.cancelation_reason = {"coding": [{"system": CANCELLATION_REASON, "code": "pat", "display": "Patient"}]}
    elif random.random() < CONFIRMED:
        copy.attendance_confirmed = start - timedelta(hours=random.randrange(20, 48))
    return copy


def _moved(slot: Slot, weeks: int, zone: ZoneInfo) -> Slot:
    start, end = (_earlier(moment, weeks, zone) for moment in (slot.start, slot.end))
    return Slot(
        schedule_id=slot.schedule_id,
        bookable_id=slot.bookable_id,
        status=slot.status,
        seat=slot.seat,
        start=start,
        end=end,
        last_updated=end,
    )


def _earlier(moment: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """The same time of day, by the zone's clock, so many weeks earlier."""
    return datetime.fromtimestamp(days_later(int(moment.timestamp()), -7 * weeks, zone), moment.tzinfo)


def _slots(copies: Sequence[tuple[Appointment, list[Slot]]]) -> Iterator[Slot]:
    for visit, slots in copies:
        for slot in slots:
            slot.appointment = visit
            yield slot
