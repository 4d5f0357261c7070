"""Absences: the time is blocked, other times are held and offered, the patient chooses, and it can be taken back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, ParkedRow, Rebooking, Slot, StaffRole
from scheduling import absences, booking
from scheduling.access import Caller
from scheduling.booking import AbsenceRequest, RescheduleRequest, StatusRequest
from scheduling.errors import (
    Forbidden,
    HoldExpired,
    NotFound,
    RuleBroken,
    TimeTaken,
    VersionConflict,
)
from scheduling.notifications import Batch
from tests.factories import PatientFactory, UserFactory
from tests.scheduling.absences.acts import by_link, choose, held, message_events, offer, send, state, work
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_its_time_is_blocked_at_once_under_the_visits_that_are_booked(service, chen, visit, ill):
    ill()
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(14), patient=PatientFactory()))
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert Slot.objects.get(bookable=chen.bookable, lies_under=True).comment == "Flu"
    book(wish(service, chen, at=monday(9, days=1), patient=PatientFactory()))


def test_only_staff_of_the_calendar_say_it_and_see_it(ill, ada, boss):
    absence = ill()
    stranger = Caller(user=UserFactory())
    for caller in (stranger, Caller(user=ada.user), Caller(guest="guest"), SOFTWARE):
        with pytest.raises(Forbidden):
            ill(caller=caller)
    with pytest.raises(NotFound):
        booking.end_absence(absence.pk, 1, caller=stranger, now=timezone.now())
    assert list(absences.absences_of(boss, now=timezone.now())) == [absence]
    assert list(absences.absences_of(stranger, now=timezone.now())) == []


def test_who_only_sees_calendars_sees_absences_and_says_none(ill, site, visit):
    absence = ill()
    user = UserFactory()
    StaffRole.objects.create(user=user, role="reader", site=site)
    reader = Caller(user=user)
    assert list(absences.absences_of(reader, now=timezone.now())) == [absence]
    for act in (booking.offer_times, booking.end_absence):
        with pytest.raises(Forbidden):
            act(absence.pk, 1, caller=reader, now=timezone.now())
    with pytest.raises(Forbidden):
        ill(caller=reader)


def test_the_nearest_times_are_held_with_the_same_practitioner_and_with_another(service, chen, brook, visit, ill, desk):
    offer(ill(), desk)
    assert state(visit) == ("ready", "")
    assert len(held(visit)) == 3
    who = {hold.start: Slot.objects.get(appointment=hold, status="busy-tentative").bookable_id for hold in held(visit)}
    assert min(start for start, bookable in who.items() if bookable == chen.bookable_id) == monday(10, days=1)
    assert brook.bookable_id in who.values()
    assert len({start.date() for start in who}) == 3
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10, days=1), patient=PatientFactory()))
    assert message_events(visit) == ["confirmation"]


def test_choosing_moves_the_visit_tells_the_patient_and_lets_go_of_the_other_times(service, chen, visit, ill, desk):
    send(ill(), desk)
    assert message_events(visit) == ["confirmation", "rebooking"]
    first, *others = held(visit)
    moved = choose(visit, first)
    assert (moved.pk, moved.status, moved.start, moved.sequence) == (visit.pk, "booked", first.start, 1)
    assert state(visit) == ("moved", "")
    assert message_events(visit)[-1] == "change"
    visit.refresh_from_db()
    assert (visit.to_rebook, held(visit)) == (False, [])
    assert set(Appointment.objects.filter(suggested_for=visit).values_list("status", flat=True)) == {"cancelled"}
    for other in others:
        book(wish(service, chen, at=other.start, patient=PatientFactory()))
    with pytest.raises(RuleBroken):
        choose(visit, others[0])


def test_a_time_that_lapsed_cannot_be_chosen_and_its_patient_is_called(visit, ill, desk, settings):
    send(ill(), desk)
    hold = held(visit)[0]
    later = timezone.now() + settings.ABSENCE_TIMES_HELD_FOR + HOUR
    with pytest.raises(HoldExpired):
        booking.choose_alternative(visit.fhir_id, hold.fhir_id, caller=by_link(visit), now=later)
    work(settings.ABSENCE_TIMES_HELD_FOR + HOUR)
    assert state(visit) == ("call", "no-answer")
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_a_patient_is_reminded_once(visit, ill, desk, settings):
    send(ill(), desk)
    half = settings.ABSENCE_TIMES_HELD_FOR / 2 + HOUR
    work(half)
    work(half + HOUR)
    assert message_events(visit) == ["confirmation", "rebooking", "rebooking"]


def test_the_visit_is_cancelled_with_the_reason_once_the_absence_begins(visit, ill, desk):
    send(ill(), desk)
    work(monday(1) - timezone.now())
    visit.refresh_from_db()
    assert (visit.status, visit.cancelation_reason["text"]) == ("cancelled", "Dr Chen is ill.")
    assert message_events(visit)[-1] == "cancellation"
    assert state(visit) == ("cancelled", "")


def test_who_could_not_be_told_before_the_absence_begins_is_called_after_that(service, chen, ill, desk):
    visit = book(wish(service, chen, at=monday(10), patient=PatientFactory(email="", phone="")))
    send(ill(), desk)
    rebooking = Rebooking.objects.get()
    with pytest.raises(RuleBroken):
        booking.note_call(rebooking.pk, caller=desk, now=timezone.now())
    work(monday(1) - timezone.now())
    visit.refresh_from_db()
    assert (visit.status, state(visit)) == ("cancelled", ("call", "no-address"))
    booking.note_call(rebooking.pk, caller=desk, now=timezone.now())
    assert state(visit)[0] == "cancelled"


def test_who_cannot_be_told_is_called_and_their_times_are_held_for_the_call(service, chen, ill, desk):
    visit = book(wish(service, chen, at=monday(10), patient=PatientFactory(email="", phone="")))
    send(ill(), desk)
    assert state(visit) == ("call", "no-address")
    hold = held(visit)[0]
    assert choose(visit, hold, desk).start == hold.start
    assert state(visit)[0] == "moved"


def test_who_has_no_other_time_is_called(visit, ill, desk):
    absence = ill(start=timezone.now(), end=monday(0, days=80))
    send(absence, desk)
    assert state(visit) == ("call", "no-times")


def test_a_patient_asks_for_a_call_or_cancels_whatever_the_cut_off(visit, ill, desk, service):
    send(ill(), desk)
    booking.ask_for_call(visit.fhir_id, caller=by_link(visit), now=timezone.now())
    assert state(visit) == ("call", "asked")
    assert len(held(visit)) == 3
    service.cancellation_notice = timedelta(days=60)
    service.save()
    booking.cancel_rebooked(visit.fhir_id, caller=by_link(visit), now=timezone.now())
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert state(visit)[0] == "cancelled"


def test_it_can_be_undone_until_the_messages_go_out(visit, ill, desk):
    absence = ill()
    offer(absence, desk)
    absence.refresh_from_db()
    booking.undo_offers(absence.pk, absence.version, caller=desk, now=timezone.now())
    work()
    assert (held(visit), message_events(visit), Rebooking.objects.count()) == ([], ["confirmation"], 0)
    send(absence, desk)
    absence.refresh_from_db()
    with pytest.raises(RuleBroken):
        booking.undo_offers(absence.pk, absence.version, caller=desk, now=timezone.now())


def test_the_messages_go_out_a_minute_after_the_last_time_is_held(visit, ill, desk):
    offer(ill(), desk)
    work(booking.UNDO_FOR - timedelta(seconds=5))
    assert message_events(visit) == ["confirmation"]
    work(booking.UNDO_FOR + timedelta(seconds=5))
    assert message_events(visit) == ["confirmation", "rebooking"]


def test_who_has_not_answered_keeps_the_visit_when_the_absence_ends_early(service, chen, visit, ill, desk):
    absence = ill()
    send(absence, desk)
    absence.refresh_from_db()
    booking.end_absence(absence.pk, absence.version, caller=desk, now=timezone.now())
    with pytest.raises(RuleBroken):
        booking.end_absence(absence.pk, absence.version + 1, caller=desk, now=timezone.now())
    work()
    visit.refresh_from_db()
    assert (visit.status, visit.start, visit.to_rebook) == ("booked", monday(10), False)
    assert (state(visit)[0], held(visit), message_events(visit)) == ("kept", [], ["confirmation", "kept"])
    book(wish(service, chen, at=monday(14), patient=PatientFactory()))


def test_a_visit_that_is_outside_the_changed_absence_stays_as_booked(visit, ill, desk, chen):
    absence = ill()
    offer(absence, desk)
    absence.refresh_from_db()
    request = AbsenceRequest(
        bookable=chen.bookable_id, start=monday(12), end=monday(23), reason="Flu", version=absence.version
    )
    booking.change_absence(absence.pk, request, caller=desk, now=timezone.now())
    work()
    assert (state(visit)[0], held(visit)) == ("kept", [])
    with pytest.raises(VersionConflict):
        booking.change_absence(absence.pk, request, caller=desk, now=timezone.now())


def test_a_change_by_another_way_lets_go_of_the_times_at_once(service, brook, visit, ill, desk):
    send(ill(), desk)
    wanted = held(visit)[0].start
    own = wish(service, brook, at=wanted).offerings
    booking.reschedule(
        visit.fhir_id, RescheduleRequest(offerings=own, start=wanted), caller=by_link(visit), now=timezone.now()
    )
    assert (state(visit)[0], held(visit)) == ("moved", [])


def test_a_visit_that_staff_change_before_it_was_looked_at_is_left_alone(service, chen, brook, visit, ill, desk):
    other = book(wish(service, chen, at=monday(11), patient=PatientFactory()))
    absence = ill()
    booking.offer_times(absence.pk, 1, caller=desk, now=timezone.now())
    booking.cancel(visit.fhir_id, StatusRequest(), caller=desk, now=timezone.now())
    offerings = wish(service, brook, at=monday(11)).offerings
    request = RescheduleRequest(offerings=offerings, start=monday(11))
    booking.reschedule(other.fhir_id, request, caller=desk, now=timezone.now())
    work()
    assert [state(each)[0] for each in (visit, other)] == ["cancelled", "moved"]
    assert not Appointment.objects.filter(suggested_for__isnull=False).exists()


def test_one_visit_that_fails_stops_no_other(service, chen, visit, ill, desk, monkeypatch):
    other = book(wish(service, chen, at=monday(11), patient=PatientFactory(email="other@example.com")))
    find = absences.tending.candidates

    def failing(appointment, **more):
        if appointment.pk == visit.pk:
            raise ValueError
        return find(appointment, **more)

    monkeypatch.setattr(absences.tending, "candidates", failing)
    offer(ill(), desk)
    assert [state(each)[0] for each in (visit, other)] == ["waiting", "ready"]
    assert ParkedRow.objects.get().task == "offer times for an absence"


def test_the_message_names_the_reason_the_time_to_answer_and_the_page(visit, ill, desk, mailoutbox):
    send(ill(), desk)
    batch = Batch(now=timezone.now() + timedelta(seconds=1))
    while batch.deliver_next(now=timezone.now() + timedelta(seconds=1)):
        pass
    body = next(mail.body for mail in mailoutbox if mail.subject.startswith("Please choose another time"))
    assert "Dr Chen is ill." in body
    assert "#times" in body


def test_a_visit_that_cannot_be_kept_gets_no_reminder(visit, ill, desk):
    send(ill(), desk)
    reminder = Communication.objects.filter(appointment=visit, event="reminder").earliest("due")
    Batch([reminder.fhir_id], now=reminder.due).deliver_next(now=reminder.due)
    reminder.refresh_from_db()
    assert (reminder.status, reminder.status_reason) == ("not-done", "The clinic cannot keep the visit.")


def test_it_is_in_the_audit_log(visit, ill, desk):
    send(ill(), desk)
    ours = AuditEvent.objects.filter(subtype__startswith="absence").order_by("pk")
    assert list(ours.values_list("subtype", "user")) == [
        (subtype, desk.user.pk) for subtype in ("absence", "absence offered", "absence sent")
    ]
    assert AuditEvent.objects.filter(subtype="offer", client="absences", patient=visit.patient_id).exists()


def test_a_booking_a_move_and_a_cancellation_cost_no_statement_more(service, chen):
    first = book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    with CaptureQueriesContext(connection) as queries:
        booking.cancel(first.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert not [each for each in queries.captured_queries if "clinic_rebooking" in each["sql"]]


def test_the_statements_for_each_visit_do_not_grow_with_their_number(service, chen, brook, ill, desk):
    def statements(monday_after, visits):
        for number in range(visits):
            start = monday(9, days=7 * monday_after) + timedelta(minutes=30 * number)
            book(wish(service, chen, at=start, patient=PatientFactory(email=f"patient{number}@example.com")))
        absence = ill(start=monday(0, days=7 * monday_after), end=monday(23, days=7 * monday_after))
        with CaptureQueriesContext(connection) as queries:
            send(absence, desk)
        assert Rebooking.objects.filter(absence=absence, state="offered").count() == visits
        return len(queries.captured_queries)

    few, many = statements(1, 2), statements(3, 12)
    assert many <= few * 6
