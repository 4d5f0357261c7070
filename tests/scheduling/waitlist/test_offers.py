"""Offers: time that came free is held for the first who would take it, and passes on until somebody takes it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, FreedTime, Slot, WaitlistOffer
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import RescheduleRequest
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken, TimeTaken
from tests.factories import PatientFactory
from tests.scheduling.situations import book, hold, monday, run_out, wish
from tests.scheduling.waitlist.acts import cancel, decline, lapse, last_offer, offers, take, work

pytestmark = pytest.mark.django_db(transaction=True)
FIFTEEN = timedelta(minutes=15)


def half_an_hour_at(hour: int):
    return monday(hour), monday(hour) + timedelta(minutes=30)


def test_a_cancelled_time_is_held_for_who_has_waited_longest(service, chen, taken, join):
    first, _second = join(), join()
    before = timezone.now()
    cancel(taken)
    work()
    assert offers() == [(first, monday(10), "open")]
    offer = last_offer()
    slot = Slot.objects.get(appointment=offer.hold, deleted_at=None)
    assert (slot.start, slot.end, slot.status) == (*half_an_hour_at(10), "busy-tentative")
    assert before <= offer.expires - FIFTEEN <= timezone.now()
    assert (offer.hold.suggested_for, offer.hold.patient, offer.rule) == (first, first.patient, "longest")
    assert Communication.objects.get(event="offer").appointment == offer.hold
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10), patient=PatientFactory()))


def test_who_takes_it_has_a_visit_and_waits_no_longer(taken, join, chen):
    entry = join()
    cancel(taken)
    work()
    visit = take(entry, last_offer())
    assert (visit, visit.status, visit.start) == (entry, "booked", monday(10))
    assert [each["status"] for each in visit.participant] == ["accepted", "accepted"]
    assert Slot.objects.get(appointment=visit, deleted_at=None).status == "busy"
    assert set(Communication.objects.filter(appointment=visit).values_list("event", flat=True)) >= {"confirmation"}
    work()
    assert offers() == [(entry, monday(10), "taken")]


def test_the_booked_visit_of_who_takes_it_moves_and_its_time_is_offered_too(service, chen, taken, join):
    ada, bo = PatientFactory(email="ada@example.com"), PatientFactory(email="bo@example.com")
    visit = book(wish(service, chen, at=monday(15), patient=ada))
    later = book(wish(service, chen, at=monday(16), patient=bo))
    entry, other = join(ada, replaces=visit.reference), join(bo, replaces=later.reference)
    cancel(taken)
    work()
    moved = take(entry, last_offer())
    entry.refresh_from_db()
    assert (moved, moved.start, moved.sequence, entry.status) == (visit, monday(10), 1, "cancelled")
    assert Communication.objects.filter(appointment=visit, event="change").exists()
    assert not Communication.objects.filter(appointment=entry).exists()
    work()
    assert offers() == [(entry, monday(10), "taken"), (other, monday(15), "open")]


@pytest.mark.parametrize(("end", "outcome"), [(decline, "declined"), (lambda _, offer: lapse(offer), "lapsed")])
def test_what_is_declined_or_not_answered_passes_to_the_next_and_comes_back_to_nobody(taken, join, end, outcome):
    first, second = join(), join()
    cancel(taken)
    work()
    end(first, last_offer())
    work()
    assert offers() == [(first, monday(10), outcome), (second, monday(10), "open")]
    assert last_offer().passed == [[first.fhir_id, "asked-before"]]
    end(second, last_offer())
    work()
    assert [row[2] for row in offers()] == [outcome, outcome]
    assert FreedTime.objects.filter(closed=None).count() == 0
    first.refresh_from_db()
    assert first.status == "waitlist"


def test_an_offer_that_lapsed_cannot_be_taken(taken, join):
    entry = join()
    cancel(taken)
    work()
    lapse(last_offer())
    with pytest.raises(HoldExpired):
        take(entry, last_offer())
    with pytest.raises(HoldExpired):
        decline(entry, last_offer())


def test_who_leaves_lets_go_of_the_time_that_was_held(taken, join):
    first, second = join(), join()
    cancel(taken)
    work()
    booking.leave_waitlist(first.fhir_id, caller=Caller(visit=first.fhir_id), now=timezone.now())
    work()
    assert offers() == [(first, monday(10), "gone"), (second, monday(10), "open")]
    with pytest.raises(IllegalTransition):
        take(first, WaitlistOffer.objects.earliest("pk"))


def test_one_person_has_one_offer_at_a_time_and_the_second_time_waits_for_the_answer(service, chen, taken, join):
    other = book(wish(service, chen, at=monday(11), patient=PatientFactory()))
    entry = join()
    cancel(taken)
    cancel(other)
    work()
    assert offers() == [(entry, monday(10), "open")]
    decline(entry, last_offer())
    work()
    assert offers() == [(entry, monday(10), "declined"), (entry, monday(11), "open")]


def test_time_of_a_moved_visit_of_an_ended_hold_and_new_extra_time_come_free_too(service, chen, taken, join):
    held = hold(wish(service, chen, at=monday(12)))
    entries = [join() for _ in range(3)]
    offerings = wish(service, chen, at=monday(14)).offerings
    request = RescheduleRequest(offerings=offerings, start=monday(14))
    booking.reschedule(
        taken.fhir_id, request, caller=Caller(client="s", scopes=("system/*.cruds",)), now=timezone.now()
    )
    run_out(held)
    booking.release_expired_holds(now=timezone.now())
    Slot.objects.create(
        schedule=chen,
        bookable=chen.bookable,
        status="free",
        start=monday(18),
        end=monday(18, 30),
        last_updated=timezone.now(),
    )
    work()
    assert offers() == [
        (entries[0], monday(10), "open"),
        (entries[1], monday(12), "open"),
        (entries[2], monday(18), "open"),
    ]


def test_new_hours_are_offered_and_hours_that_were_there_are_not(service, chen, join):
    entry = join(not_before=monday(0))
    parameters = service.scheduling_parameters.get()
    parameters.availability = [{**parameters.availability[0], "availableEndTime": "19:00:00"}]
    parameters.save()
    work()
    assert offers() == [(entry, monday(16, 45), "open")]  # the first that would not have ended by five


def test_what_staff_cancel_is_offered_once_it_cannot_be_undone(taken, join, boss):
    entry = join()
    cancel(taken, boss)
    work()
    assert offers() == []
    work(timezone.now() + timedelta(seconds=11))
    assert offers() == [(entry, monday(10), "open")]


def test_at_night_it_is_kept_until_an_hour_after_the_quiet_hours(taken, join, night, settings):
    settings.SMS_ENABLED = True
    entry = join(PatientFactory(email="somebody@example.com", phone="+12125550177"))
    night(ZoneInfo("America/New_York"), 3)
    cancel(taken)
    work()
    offer = last_offer()
    mail, text = (Communication.objects.get(event="offer", medium=medium) for medium in ("email", "sms"))
    assert (offer.entry, mail.due <= timezone.now() < text.due) == (entry, True)
    assert text.due.minute == 0
    assert offer.expires - text.due == timedelta(hours=1)


@pytest.mark.parametrize(("media", "found"), [((), {"email", "sms"}), (("sms",), {"sms"}), (("email",), {"email"})])
def test_it_is_told_as_they_wish(taken, join, settings, media, found):
    settings.SMS_ENABLED = True
    join(PatientFactory(email="somebody@example.com", phone="+12125550177"), media=frozenset(media))
    cancel(taken)
    work()
    assert set(Communication.objects.filter(event="offer").values_list("medium", flat=True)) == found


def test_who_cannot_be_told_is_passed_over(taken, join):
    silent, other = join(PatientFactory(email="", phone="")), join()
    cancel(taken)
    work()
    assert offers() == [(other, monday(10), "open")]
    assert last_offer().passed == [[silent.fhir_id, "not-possible"]]


def test_the_audit_log_names_each_step(taken, join):
    entry, other = join(), join()
    cancel(taken)
    work()
    decline(entry, last_offer())
    work()
    take(other, last_offer())
    steps = list(
        AuditEvent.objects.filter(appointment__in=[entry, other]).order_by("pk").values_list("subtype", flat=True)
    )
    assert steps == ["join", "join", "offer", "pass", "offer", "book"]


def test_a_visit_that_can_no_longer_be_moved_keeps_its_time(service, chen, taken, join):
    ada = PatientFactory(email="ada@example.com")
    visit = book(wish(service, chen, at=monday(15), patient=ada))
    entry = join(ada, replaces=visit.reference)
    cancel(taken)
    work()
    service.cancellation_notice = timedelta(days=40)
    service.save()
    with pytest.raises(RuleBroken):
        take(entry, last_offer())
    visit.refresh_from_db()
    assert visit.start == monday(15)
    assert Appointment.objects.get(pk=entry.pk).status == "waitlist"
