"""Staff offer a free time to somebody on the waiting list, or book it for them on the phone."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Slot, WaitlistOffer
from scheduling import availability, waitlist
from scheduling.access import Caller
from scheduling.errors import Forbidden, IllegalTransition, NotFound, RuleBroken, TimeTaken
from scheduling.waitlist import Gap
from tests.factories import LocationFactory, PatientFactory, UserFactory
from tests.scheduling.situations import at_once, book, hold, monday, wish
from tests.scheduling.waitlist.acts import decline, lapse, last_offer, offers, take, work

pytestmark = pytest.mark.django_db(transaction=True)
HALF = timedelta(minutes=30)


@pytest.fixture
def desk(db):
    return Caller(user=UserFactory(is_superuser=True))


@pytest.fixture
def gap(chen):
    return Gap(chen.bookable_id, monday(10), monday(11))


def candidates(desk, gap):
    """Return each candidate with the time or the reason, in order."""
    found = waitlist.candidates(desk, gap, now=timezone.now())
    return [(each.entry, each.reason or each.start) for of_service in found.values() for each in of_service]


def offer(entry, gap, desk, start=None):
    return waitlist.offer_gap(entry.fhir_id, start or gap.start, gap, caller=desk, now=timezone.now())


def book_now(entry, gap, desk, start=None):
    return waitlist.book_gap(entry.fhir_id, start or gap.start, gap, caller=desk, now=timezone.now())


def test_the_gaps_of_a_day_are_what_is_open_and_not_taken(service, chen):
    book(wish(service, chen, at=monday(10), patient=PatientFactory()))
    hold(wish(service, chen, at=monday(13), patient=PatientFactory()))
    offerings = availability.all_offerings_of([chen.pk])
    [spans] = availability.gaps_of(offerings, monday(9), monday(14), now=timezone.now()).values()
    found = [tuple(availability.as_datetime(second) for second in span) for span in spans]
    assert found == [(monday(9), monday(10)), (monday(10, 30), monday(13)), (monday(13, 30), monday(14))]
    assert availability.gaps_of(offerings, monday(9), monday(14), now=monday(14)) == {}
    [(first, *_), *_] = availability.gaps_of(offerings, monday(9), monday(14), now=monday(9, 20)).values()
    assert availability.as_datetime(first[0]) == monday(9, 20)


def test_who_waits_is_listed_in_order_with_the_time_or_the_reason(service, desk, gap, join):
    service.waitlist_order = "urgent"
    service.save()
    longest, morning, urgent = join(), join(parts=frozenset({"afternoon"})), join(priority=1)
    assert candidates(desk, gap) == [(urgent, monday(10)), (longest, monday(10)), (morning, "part-of-day")]


def test_a_service_without_a_time_in_the_gap_has_nobody(service, desk, gap, join):
    join()
    short = replace(gap, end=gap.start + HALF / 3)
    book_at = replace(short, start=monday(3), end=monday(4))
    assert waitlist.candidates(desk, book_at, now=timezone.now()) == {service: []}


def test_an_offer_of_staff_is_held_and_passes_on_like_any_other(desk, gap, join):
    first, second = join(), join()
    offer(second, gap, desk)
    assert (last_offer().entry, last_offer().rule, last_offer().freed) == (second, "staff", None)
    assert Slot.objects.get(appointment=last_offer().hold).status == "busy-tentative"
    assert AuditEvent.objects.filter(subtype="offer", appointment=second).exists()
    assert candidates(desk, gap)[1] == (second, "has-offer")
    lapse(last_offer())
    work()
    assert offers() == [(second, monday(10), "lapsed"), (first, monday(10), "open")]


def test_the_log_of_an_offer_of_staff_says_who_was_passed_over(desk, gap, join):
    other, chosen = join(weekdays=frozenset({"fri"})), join()
    offer(chosen, gap, desk)
    assert last_offer().passed == [[other.fhir_id, "weekday"]]
    assert take(chosen, last_offer()).status == "booked"


def test_who_does_not_like_the_time_is_not_offered_it_but_can_be_booked_on_the_phone(desk, gap, join):
    entry = join(weekdays=frozenset({"fri"}))
    with pytest.raises(RuleBroken):
        offer(entry, gap, desk)
    visit = book_now(entry, gap, desk)
    assert (visit, visit.status, visit.start) == (entry, "booked", monday(10))
    assert Slot.objects.get(appointment=visit, deleted_at=None).status == "busy"
    with pytest.raises(NotFound):
        book_now(entry, gap, desk)


def test_who_declined_is_not_offered_the_time_again_but_can_be_booked(desk, gap, join):
    entry, gap = join(), replace(gap, end=monday(10, 30))
    offer(entry, gap, desk)
    decline(entry, last_offer())
    assert candidates(desk, gap) == [(entry, "asked-before")]
    assert book_now(entry, gap, desk).start == monday(10)


def test_a_booked_visit_moves_on_the_phone_and_its_entry_ends(service, chen, desk, gap, join):
    ada = PatientFactory(email="ada@example.com")
    visit = book(wish(service, chen, at=monday(15), patient=ada))
    entry = join(ada, replaces=visit.reference)
    assert book_now(entry, gap, desk) == visit
    visit.refresh_from_db()
    entry.refresh_from_db()
    assert (visit.start, visit.status, entry.status) == (monday(10), "booked", "cancelled")
    assert [slot.start for slot in Slot.objects.filter(appointment=visit, deleted_at=None)] == [monday(10)]


def test_booking_on_the_phone_lets_go_of_the_time_that_is_being_offered(desk, gap, join):
    entry = join()
    offer(entry, replace(gap, start=monday(12), end=monday(13)), desk)
    book_now(entry, gap, desk)
    assert offers() == [(entry, monday(12), "gone")]


def test_a_time_that_was_just_taken_is_refused(service, chen, desk, gap, join):
    entry = join()
    book(wish(service, chen, at=monday(10), patient=PatientFactory()))
    for act in (offer, book_now):
        with pytest.raises(TimeTaken):
            act(entry, gap, desk)


def test_a_desk_of_another_site_gives_no_times(gap, join):
    entry, other = join(), Caller(user=UserFactory(desk_locations=[LocationFactory()]))
    for act in (offer, book_now):
        with pytest.raises((NotFound, Forbidden)):
            act(entry, gap, other)
    assert waitlist.candidates(other, gap, now=timezone.now()) == {}


@pytest.mark.parametrize("acts", [(offer, offer), (offer, book_now), (book_now, book_now)])
def test_two_desks_give_the_same_gap_to_one_of_two(desk, chen, join, acts):
    gap = Gap(chen.bookable_id, monday(10), monday(10, 30))
    entries = [join(), join()]
    results = at_once([partial(act, entry, gap, desk) for act, entry in zip(acts, entries, strict=True)])
    assert sum(isinstance(each, (Appointment, WaitlistOffer)) for each in results) == 1
    assert [type(each) for each in results if isinstance(each, Exception)] == [TimeTaken]
    assert Slot.objects.filter(start=monday(10), deleted_at=None).count() == 1


def test_two_desks_ask_one_person_once(desk, gap, join):
    entry = join()
    later = replace(gap, start=monday(13), end=monday(14))
    results = at_once([partial(offer, entry, each, desk) for each in (gap, later)])
    assert [type(each) for each in results if isinstance(each, Exception)] == [IllegalTransition]
    assert WaitlistOffer.objects.count() == 1
