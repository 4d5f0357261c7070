"""What two people do to one visit, one hold or one calendar at the same moment ends as if one had come after the other.

Each race has its control: the same race with the guard taken away, which goes wrong. Triggers that sleep keep the
moments long enough for everybody to meet in them.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, QuestionnaireResponse, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import lasting
from scheduling.booking import BlockRequest, Extent
from scheduling.booking.slots import ATTENDED
from scheduling.errors import (
    HoldExpired,
    IllegalTransition,
    PatientElsewhere,
    RuleBroken,
    ScheduleBusy,
    SchedulingError,
    TimeTaken,
    TooManyHolds,
    VersionConflict,
)
from tests.factories import (
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, run_out, wish
from tests.scheduling.test_races import kinds, overlaps, ultrasound, without_the_constraint

pytestmark = pytest.mark.django_db(transaction=True)

GUEST = Caller(guest="a-secret-of-this-browser")
A_MOMENT = 0.3


@contextmanager
def slow(table, what="UPDATE", *, each="STATEMENT"):
    """Whoever writes to the table takes a moment first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql"
            f" AS $$ BEGIN PERFORM pg_sleep({A_MOMENT}); RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE TRIGGER slow BEFORE {what} ON {table} FOR EACH {each} EXECUTE FUNCTION slow()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION slow CASCADE")


@pytest.fixture
def without(monkeypatch):
    """Take a lock away."""
    return lambda *locks: [monkeypatch.setattr(f"scheduling.booking.{lock}", lambda *_: None) for lock in locks]


@pytest.fixture
def without_row_locks(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)


def later(act):
    """Once the other is in the middle of it."""

    def wait_and_act():
        with connection.cursor() as cursor:
            for _ in range(1000):
                cursor.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                if cursor.fetchone():
                    break
                threading.Event().wait(0.005)
        return act()

    return wait_and_act


def do(use_case: Callable, appointment, *args, caller=SOFTWARE, **named):
    return partial(
        lambda: use_case(appointment.fhir_id, *args, caller=caller, now=timezone.now(), **named),
    )


def standing(appointment):
    """The time that it takes."""
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None)
    return list(slots.order_by("pk").values_list("status", "start"))


# One hold


def twice_at_once(act, service, schedule):
    held = hold(wish(service, schedule, at=monday(10)))
    with slow("clinic_appointment"):
        return kinds(at_once([do(act, held)] * 2))


@pytest.mark.parametrize(("act", "refusal"), [(booking.confirm, IllegalTransition), (booking.extend_hold, RuleBroken)])
def test_what_is_done_once_is_done_once_by_two_at_once(service, chen, act, refusal):
    assert twice_at_once(act, service, chen) == {Appointment: 1, refusal: 1}


@pytest.mark.parametrize("act", [booking.confirm, booking.extend_hold])
def test_without_the_lock_of_the_row_it_is_done_twice(service, chen, without_row_locks, act):
    assert twice_at_once(act, service, chen) == {Appointment: 2}


def swept_by_four(service, schedule):
    """How many holds four sweeps say that they have released; there are five."""
    for hour in range(9, 14):
        hold(wish(service, schedule, at=monday(hour)))
    an_hour_later = timezone.now() + timedelta(hours=1)
    with slow("clinic_appointment"):
        return sum(at_once([lambda: booking.release_expired_holds(now=an_hour_later)] * 4))


def test_an_expired_hold_is_released_by_one_of_four_sweeps(service, chen):
    assert swept_by_four(service, chen) == 5
    assert AuditEvent.objects.filter(subtype="expire").count() == 5


def test_without_the_lock_of_the_row_by_several(service, chen, without_row_locks):
    assert swept_by_four(service, chen) > 5


def left_and_come_back_to(service, schedule, settings):
    """The sweep finds a hold that was left, just as its holder confirms it after all."""
    held, now = hold(wish(service, schedule, at=monday(10))), timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=SOFTWARE, now=now)
    with slow("clinic_appointment"):
        at_once(
            [
                lambda: booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR),
                later(do(booking.confirm, held)),
            ]
        )
    held.refresh_from_db()
    return held.status, standing(held)


def test_a_hold_that_is_being_released_is_not_confirmed(service, chen, settings):
    assert left_and_come_back_to(service, chen, settings) == ("cancelled", [])


def test_without_the_lock_of_the_row_it_is_booked_and_has_no_time(service, chen, settings, without_row_locks):
    assert left_and_come_back_to(service, chen, settings) == ("booked", [])


def test_one_that_is_being_confirmed_is_not_released(service, chen, settings):
    held, now = hold(wish(service, chen, at=monday(10))), timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=SOFTWARE, now=now)
    with slow("clinic_appointment"):
        [_, released] = at_once(
            [
                do(booking.confirm, held),
                later(lambda: booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR)),
            ]
        )
    held.refresh_from_db()
    assert (released, held.status, standing(held)) == (0, "booked", [("busy", monday(10))])


def extended_as_it_is_sold(at, service, schedules):
    """A hold that has just run out is extended, by a clock that is behind, while somebody books its time."""
    held = run_out(hold(wish(service, *schedules, at=at)))
    for slot in held.slots.order_by("-pk"):  # rewritten, so that they are read in this order
        slot.last_updated = timezone.now()
        slot.save()
    just_before = held.hold_expires_at - timedelta(milliseconds=1)
    return at_once(
        [
            lambda: booking.extend_hold(held.fhir_id, caller=SOFTWARE, now=just_before),
            partial(book, wish(service, *schedules, at=at)),
        ]
    )


def test_at_the_instant_of_its_end_a_hold_is_extended_or_its_time_is_sold():
    service, schedules = ultrasound()
    for round_ in range(15):
        outcomes = kinds(extended_as_it_is_sold(monday(round_), service, schedules))
        assert outcomes in ({Appointment: 1, HoldExpired: 1}, {Appointment: 1, TimeTaken: 1})
    assert overlaps() == 0


def test_even_if_that_takes_long():
    service, schedules = ultrasound()
    with slow("clinic_slot", "INSERT OR UPDATE", each="ROW"):
        outcomes = kinds(extended_as_it_is_sold(monday(10), service, schedules))
    assert outcomes in ({Appointment: 1, HoldExpired: 1}, {Appointment: 1, TimeTaken: 1})


def test_without_owning_the_bookables_the_two_wait_for_each_other(without):
    without("holding.own_bookables")
    service, schedules = ultrasound()
    with slow("clinic_slot", "INSERT OR UPDATE", each="ROW"), pytest.raises(OperationalError, match="deadlock"):
        extended_as_it_is_sold(monday(10), service, schedules)


def replaced_by_two_pages(service, schedule):
    """Two pages of one browser change the same hold to different times; how often it was let go."""
    held = hold(wish(service, schedule, at=monday(10)), GUEST)
    QuestionnaireResponseFactory(appointment=held, patient=None)

    def instead(at):
        request = wish(service, schedule, at=at)
        return booking.hold(request, caller=GUEST, now=timezone.now(), instead_of=held.fhir_id)

    with slow("clinic_appointment"):
        made = at_once([partial(instead, monday(hour)) for hour in (11, 13)])
    return made, AuditEvent.objects.filter(appointment=held, subtype="cancel").count()


def test_a_hold_that_two_pages_replace_is_let_go_once_and_one_has_its_answers(service, chen):
    made, let_go = replaced_by_two_pages(service, chen)
    assert (kinds(made), let_go) == ({Appointment: 2}, 1)
    assert QuestionnaireResponse.objects.get().appointment in made


def test_without_the_lock_of_the_row_it_is_let_go_twice(service, chen, without_row_locks, without):
    without("holding.lock_holder", "visits.own_bookables")
    assert replaced_by_two_pages(service, chen)[1] == 2


# One patient, one holder


def named_for_two_holds(service):
    """One patient is named for two holds of different people at overlapping times."""
    eve = PatientFactory()
    schedules = ScheduleFactory.create_batch(2, services=[service])
    holds = [hold(wish(service, each, at=monday(10, 15 * n)), GUEST) for n, each in enumerate(schedules)]
    with slow("clinic_appointment"):
        return kinds(at_once([do(booking.name_patient, each, eve, caller=GUEST) for each in holds]))


def test_nobody_is_named_for_two_visits_at_one_time(service):
    assert named_for_two_holds(service) == {Appointment: 1, PatientElsewhere: 1}


def test_without_the_lock_of_the_patient_they_are(service, without):
    without("holding.lock_patient", "holding.lock_holder")
    assert named_for_two_holds(service) == {Appointment: 2}


def five_holds(service, schedule):
    requests = [wish(service, schedule, at=monday(hour)) for hour in range(9, 14)]
    with slow("clinic_appointment", "INSERT"):
        return kinds(at_once([partial(hold, each, GUEST) for each in requests]))


def test_a_guest_holds_two_times_however_many_they_ask_for_at_once(service, chen):
    assert five_holds(service, chen) == {Appointment: 2, TooManyHolds: 3}


def test_without_the_lock_of_the_holder_they_hold_more(service, chen, without):
    without("holding.lock_holder")
    assert five_holds(service, chen)[Appointment] > 2


def two_visits_with_one_set_of_answers(service, schedule, patient):
    form = QuestionnaireFactory()
    service.requires_questionnaires = True
    service.save()
    service.questionnaires.set([form])
    QuestionnaireResponseFactory(patient=patient, questionnaire=form)
    holds = [hold(wish(service, schedule, at=monday(hour), patient=patient)) for hour in (10, 14)]
    with slow("clinic_questionnaireresponse"):
        return kinds(at_once([do(booking.confirm, each) for each in holds]))


def test_answers_serve_one_visit(service, chen, ada):
    assert two_visits_with_one_set_of_answers(service, chen, ada) == {Appointment: 1, RuleBroken: 1}


def test_without_the_lock_of_the_patient_they_serve_two(service, chen, ada, without):
    without("holding.lock_patient", "holding.own_bookables")
    assert two_visits_with_one_set_of_answers(service, chen, ada) == {Appointment: 2}


# One visit


def moved_by_two(service, schedule, **seen):
    visit = book(wish(service, schedule, at=monday(10)))
    offerings = wish(service, schedule, at=monday(10)).offerings
    return kinds(
        at_once([do(booking.reschedule, visit, offerings=offerings, start=monday(hour), **seen) for hour in (11, 13)])
    )


def test_of_two_who_move_the_visit_that_they_see_one_is_told_to_look_again(service, chen):
    assert moved_by_two(service, chen, version=1) == {Appointment: 1, VersionConflict: 1}


def test_without_the_version_one_undoes_what_the_other_did(service, chen):
    assert moved_by_two(service, chen) == {Appointment: 2}


def cancelled_as_they_say_that_they_come(service, schedule):
    visit = book(wish(service, schedule, at=monday(10)))
    with slow("clinic_appointment"):
        outcomes = at_once([do(booking.cancel, visit), later(do(booking.confirm_attendance, visit))])
    visit.refresh_from_db()
    return kinds(outcomes), visit.status, standing(visit)


def test_a_visit_that_is_being_cancelled_is_attended_by_nobody(service, chen):
    outcomes = {Appointment: 1, IllegalTransition: 1}
    assert cancelled_as_they_say_that_they_come(service, chen) == (outcomes, "cancelled", [])


def test_without_the_lock_of_the_row_it_is_booked_again_and_has_no_time(service, chen, without_row_locks):
    assert cancelled_as_they_say_that_they_come(service, chen) == ({Appointment: 2}, "booked", [])


# One calendar


@pytest.fixture
def boss():
    return Caller(user=UserFactory(is_superuser=True))


def block(schedule, start, end, caller, *, around=True):
    request = BlockRequest(
        schedule=schedule,
        occasions=((int(start.timestamp()), int(end.timestamp())),),
        comment="Leave",
        around=around,
    )
    return booking.block(request, caller=caller, now=timezone.now())


def test_what_bookings_leave_of_a_day_is_blocked_and_nothing_else_is_refused(service, chen, boss):
    for day in range(10):
        day += 2 * (day // 5)
        requests = [wish(service, chen, at=monday(hour, days=day)) for hour in (9, 10, 11, 14, 15)]
        blocking = partial(block, chen, monday(9, days=day), monday(12, days=day), boss)
        [blocked, *booked] = at_once([blocking, *(partial(book, each) for each in requests)])

        in_the_way = [each for each in booked[:3] if isinstance(each, Appointment)]
        hours = sum((each.end - each.start for each in [*blocked, *in_the_way]), timedelta())
        assert hours == timedelta(hours=3)
        assert kinds(booked[3:]) == {Appointment: 2}
    assert overlaps() == 0


def blocked_as_it_is_booked(service, schedule, caller):
    with slow("clinic_slot", "INSERT"):
        return at_once(
            [
                partial(book, wish(service, schedule, at=monday(10))),
                later(partial(block, schedule, monday(9), monday(12), caller)),
            ]
        )


def test_a_block_goes_around_a_booking_that_is_just_being_made(service, chen, boss):
    [booked, blocked] = blocked_as_it_is_booked(service, chen, boss)
    assert booked.status == "booked"
    assert [each.start for each in blocked] == [monday(9), monday(10, 30)]


def test_without_owning_the_bookable_first_it_is_refused_free_time(service, chen, boss, without):
    without("blocks.own_bookables")
    [_, blocked] = blocked_as_it_is_booked(service, chen, boss)
    assert isinstance(blocked, TimeTaken)


def moved_off_the_grid_onto_a_booking(service, schedule, caller, day=0):
    visit = book(wish(service, schedule, at=monday(9, days=day)))
    request = wish(service, schedule, at=monday(14, days=day))
    move = do(
        booking.reschedule,
        visit,
        offerings=request.offerings,
        start=monday(13, 53, days=day),
        override="She asked for it",
        caller=caller,
    )
    return at_once([move, partial(book, request)])


def test_a_move_that_overrides_the_rules_and_a_booking_never_share_time(service, chen, boss):
    for day in (0, 1, 2, 3, 4, 7, 8, 9):
        outcomes = moved_off_the_grid_onto_a_booking(service, chen, boss, day)
        assert kinds(outcomes)[Appointment] == 1
    assert overlaps() == 0


def test_without_owning_the_bookables_and_the_constraint_they_do(service, chen, boss, without):
    without("visits.own_bookables")
    with without_the_constraint(), slow("clinic_slot", "INSERT"):
        assert kinds(moved_off_the_grid_onto_a_booking(service, chen, boss)) == {Appointment: 2}
        assert overlaps() == 1


# Everything at once


class Crowd:
    """Everything that is done to one doctor's day and one room, at random and by several at once."""

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
            offerings = lasting(offerings, timedelta(minutes=chance.choice((15, 30, 75))))
        override = chance.choice(("", "It has to be"))
        start = request.start + timedelta(minutes=chance.choice((0, 4)) if override else 0)
        do(booking.reschedule, visit, offerings=offerings, start=start, override=override, caller=self.boss)()

    def block(self, chance):
        mine = Slot.objects.filter(appointment=None, deleted_at=None).first()
        if mine is not None:
            booking.unblock(mine.fhir_id, Extent.ALL, caller=self.boss, now=timezone.now())
        else:
            start = monday(9) + timedelta(minutes=30 * chance.randrange(14))
            block(self.doctor, start, start + timedelta(hours=1), self.boss, around=chance.random() < 0.7)

    def sweep(self, chance):
        booking.release_expired_holds(now=timezone.now())


def test_whatever_everybody_does_at_once_the_law_holds(boss):
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
