"""Random operations of several clients at once."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Q
from django.utils import timezone

from clinic.models import Appointment, Slot
from scheduling import booking
from scheduling.availability import with_duration
from scheduling.booking import Extent
from scheduling.booking.slots import ATTENDED
from scheduling.errors import ScheduleBusy, SchedulingError
from tests.factories import PatientFactory, RoomFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import block, do, overlaps
from tests.scheduling.situations import at_once, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


class Crowd:
    """Random operations on one doctor's day and one room, by several clients at once."""

    def __init__(self, seed, boss):
        self.seed, self.boss = seed, boss
        self.alone = ServiceFactory(buffer_after=5)
        self.group = ServiceFactory(capacity=3, duration=60)
        self.roomy = ServiceFactory(duration=45, requires=["Practitioner", "Location"])
        self.doctor = ScheduleFactory(services=[self.alone, self.group, self.roomy])
        self.room = ScheduleFactory(services=[self.roomy], actor=RoomFactory())
        self.patients = PatientFactory.create_batch(4)
        self.visits = [book(wish(self.alone, self.doctor, at=monday(9)))]
        self.refusals = Counter()
        self.done = Counter()

    def act_until(self, end, number):
        chance = random.Random(f"{self.seed} {number}")
        acts = (self.take, self.take, self.take, self.touch, self.touch, self.touch, self.move, self.block, self.sweep)
        while timezone.now() < end:
            try:
                act = chance.choice(acts)
                act(chance)
                self.done[act.__name__] += 1
            except SchedulingError as refusal:
                self.refusals[type(refusal)] += 1

    def request(self, chance):
        service = chance.choice((self.alone, self.group, self.roomy))
        schedules = [self.doctor, self.room] if service is self.roomy else [self.doctor]
        at = monday(9) + timedelta(minutes=15 * chance.randrange(32))
        return wish(service, *schedules, at=at, patient=chance.choice(self.patients))

    def take(self, chance):
        request = self.request(chance)
        if chance.random() < 0.5:
            visit = book(request)
        else:
            visit = hold(
                replace(request, patient=chance.choice((None, request.patient))),
                lasting=timedelta(milliseconds=chance.choice((20, 200, 60_000))),
            )
        self.visits.append(visit)

    def touch(self, chance):
        visit = chance.choice(self.visits)
        act, *args = chance.choice(
            (
                (booking.confirm,),
                (booking.extend_hold,),
                (booking.name_patient, chance.choice(self.patients)),
                (booking.cancel,),
                (booking.cancel,),
                (booking.confirm_attendance,),
                (booking.change_status, chance.choice(("arrived", "noshow", "entered-in-error"))),
            )
        )
        do(act, visit, *args)()

    def move(self, chance):
        visit = chance.choice(self.visits)
        request = self.request(chance)
        offerings = request.offerings
        if len(offerings) == 1 and chance.random() < 0.5:
            offerings = with_duration(offerings, timedelta(minutes=chance.choice((15, 30, 75))))
        override = chance.choice(("", "It has to be"))
        start = request.start + timedelta(minutes=chance.choice((0, 4)) if override else 0)
        move = booking.RescheduleRequest(offerings=offerings, start=start, override=override)
        do(booking.reschedule, visit, move, caller=self.boss)()

    def block(self, chance):
        mine = Slot.objects.filter(appointment=None, deleted_at=None).first()
        if mine is not None:
            booking.unblock(mine.fhir_id, Extent.ALL, caller=self.boss, now=timezone.now())
        else:
            start = monday(9) + timedelta(minutes=30 * chance.randrange(14))
            block(self.doctor, start, start + timedelta(hours=1), self.boss, around=chance.random() < 0.7)

    def sweep(self, chance):
        booking.release_expired_holds(now=timezone.now())


def test_the_law_of_booking_holds_when_everything_is_done_at_once(boss):
    crowd = Crowd("a Monday in the clinic", boss)
    end = timezone.now() + timedelta(seconds=6)

    assert at_once([partial(crowd.act_until, end, number) for number in range(6)]) == [None] * 6

    assert crowd.done.total() > 20
    assert ScheduleBusy not in crowd.refusals
    assert overlaps() == 0
    now = timezone.now()
    alive = Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)
    attended = list(Appointment.objects.filter(alive, status__in=ATTENDED))
    for visit in attended:
        own = visit.slots.filter(deleted_at=None)
        assert set(own.exclude(status="busy-unavailable").values_list("start", "end")) == {(visit.start, visit.end)}
        assert set(own.values_list("hold_expires_at", flat=True)) == {visit.hold_expires_at}
    over = Appointment.objects.filter(status__in=("cancelled", "entered-in-error"))
    assert not Slot.objects.filter(appointment__in=over, deleted_at=None).exists()
    for one in attended:
        for other in attended:
            same = one.pk < other.pk and one.patient_id is not None and one.patient_id == other.patient_id
            assert not (same and one.start < other.end and other.start < one.end)
