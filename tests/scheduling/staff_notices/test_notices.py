"""Notices to staff: what each of them wants to be told of, gathered into one email, and never what they did."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, Communication, EventConsumer, NoticeSettings, StaffNotice, StaffRole
from scheduling import booking, staff_notices
from scheduling.access import Caller
from scheduling.booking import RescheduleRequest, StatusRequest
from scheduling.errors import Forbidden, VersionConflict
from scheduling.notifications.staff import emails_of_staff
from scheduling.staff_notices import Preferences
from scheduling.staff_notices.emails import outcome_of
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PatientFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db
Kind = StaffNotice.Kind
CHANGES = frozenset({Kind.BOOKED, Kind.MOVED, Kind.CANCELLED})


@pytest.fixture
def site():
    return LocationFactory(name="Main Street")


@pytest.fixture
def chen(service, site):
    return ScheduleFactory(services=[service], site=site)


@pytest.fixture
def dana(site):
    return UserFactory(email="dana@example.com", desk_locations=[site])


@pytest.fixture
def desk(dana):
    return Caller(user=dana)


def want(caller, **kinds):
    version = staff_notices.preferences_of(caller.user).version
    staff_notices.save_preferences(Preferences(**{"email": frozenset(), **kinds, "version": version}), caller=caller)


def work(ahead=timedelta(0)):
    now = timezone.now() + ahead
    staff_notices.collect(now=now)
    staff_notices.send_emails(now=now)


def emails():
    return list(Communication.objects.filter(event="staff-news").order_by("pk"))


def noticed(user):
    return list(StaffNotice.objects.filter(user=user).order_by("occurred", "pk").values_list("kind", flat=True))


def test_who_has_chosen_nothing_is_told_of_requests_alone(service, chen, ada, dana):
    book(wish(service, chen, at=monday(10), patient=ada))
    work(timedelta(hours=1))
    assert not StaffNotice.objects.exists()
    assert not EventConsumer.objects.exists(), "a booking costs nothing more"
    assert staff_notices.preferences_of(dana) == Preferences(frozenset({Kind.REQUEST}))


def test_changes_within_minutes_make_one_email_that_names_no_patient(service, chen, ada, bo, desk):
    want(desk, email=CHANGES)
    one = book(wish(service, chen, at=monday(10), patient=ada))
    other = book(wish(service, chen, at=monday(11), patient=bo))
    work()
    assert emails() == []
    work(timedelta(minutes=6))
    (email,) = emails()
    assert (email.address, email.subject) == ("dana@example.com", "2 changes to visits")
    assert (email.patient, email.appointment) == (None, None)
    for visit in (one, other):
        assert f"/staff/appointments/{visit.fhir_id}/" in email.body
    assert "Check-up" in email.body
    for name in ("Ada", "Quinn", "Bo", "Lindt"):
        assert name not in email.body
    work(timedelta(minutes=12))
    assert len(emails()) == 1


def test_a_service_that_emails_must_not_name_is_not_named(service, chen, ada, desk):
    service.named_in_email = False
    service.save()
    want(desk, email=CHANGES)
    book(wish(service, chen, at=monday(10), patient=ada))
    work(timedelta(minutes=6))
    assert "Check-up" not in emails()[0].body


def test_a_notice_that_is_written_while_an_email_is_goes_with_the_next_one(service, chen, ada, desk):
    want(desk, email=CHANGES)
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    now = timezone.now()
    staff_notices.collect(now=now)
    later = StaffNotice(user=desk.user, kind="moved", appointment=visit, version=9, occurred=now, due=now)

    def write_meanwhile(execute, sql, *arguments):
        if "UPDATE" in sql and "clinic_staffnotice" in sql and later.pk is None:
            later.save()
        return execute(sql, *arguments)

    with connection.execute_wrapper(write_meanwhile):
        staff_notices.send_emails(now=now + timedelta(minutes=6))
    assert list(StaffNotice.objects.filter(due__isnull=False)) == [later]


def test_nobody_is_told_of_what_they_did_themselves(service, chen, ada, desk, site):
    other = Caller(user=UserFactory(desk_locations=[site]))
    for caller in (desk, other):
        want(caller, pages=CHANGES)
    visit = book(wish(service, chen, at=monday(10), patient=ada), caller=desk)
    staff_notices.collect(now=timezone.now())
    booking.cancel(visit.fhir_id, StatusRequest(), caller=other, now=timezone.now())
    staff_notices.collect(now=timezone.now())
    assert noticed(desk.user) == ["cancelled"]
    assert noticed(other.user) == ["booked"]


def test_staff_are_told_of_the_visits_that_they_see(service, chen, ada):
    people = {
        "chen": chen.bookable.practitioner.user or UserFactory(),
        "elsewhere": UserFactory(desk_locations=[LocationFactory()]),
        "manager": UserFactory(),
        "left": UserFactory(is_active=False, desk_locations=[chen.site]),
    }
    chen.bookable.practitioner.user = people["chen"]
    chen.bookable.practitioner.save()
    StaffRole.objects.create(user=people["manager"], role="manager")
    for user in people.values():
        NoticeSettings.objects.create(user=user, pages=["booked"])
    want(Caller(user=people["manager"]), pages=CHANGES)
    book(wish(service, chen, at=monday(10), patient=ada))
    staff_notices.collect(now=timezone.now())
    assert {name for name, user in people.items() if noticed(user)} == {"chen", "manager"}


def test_a_visit_that_is_moved_is_told_once_however_often(service, chen, ada, desk):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    want(desk, email=CHANGES)
    for hour in (11, 12):
        request = RescheduleRequest(offerings=wish(service, chen, at=monday(hour)).offerings, start=monday(hour))
        booking.reschedule(visit.fhir_id, request, caller=SOFTWARE, now=timezone.now())
        staff_notices.collect(now=timezone.now())
    work(timedelta(minutes=6))
    (email,) = emails()
    assert email.subject == "1 change to visits"
    assert "Moved: " in email.body
    assert "12:00" in email.body


@pytest.mark.parametrize(
    ("kinds", "status", "told"),
    [
        (["booked"], "booked", ["booked"]),
        (["booked", "moved"], "booked", ["booked"]),
        (["booked", "cancelled"], "cancelled", []),
        (["moved", "cancelled"], "cancelled", ["cancelled"]),
        (["cancelled", "booked"], "booked", []),
        (["cancelled", "booked", "moved"], "booked", ["moved"]),
        (["moved"], "arrived", ["moved"]),
        (["failed"], "booked", ["failed"]),
        (["booked", "failed", "cancelled"], "cancelled", ["failed"]),
    ],
)
def test_an_email_tells_what_has_come_of_a_visit(kinds, status, told):
    assert outcome_of([Kind(kind) for kind in kinds], status) == told


def test_nothing_is_sent_if_nothing_has_come_of_it(service, chen, ada, desk):
    want(desk, email=CHANGES)
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    booking.cancel(visit.fhir_id, StatusRequest(), caller=SOFTWARE, now=timezone.now())
    work(timedelta(minutes=6))
    assert emails() == []
    assert not StaffNotice.objects.exclude(due=None).exists()


def test_a_message_that_failed_is_told_to_those_who_run_the_calendar(site, desk):
    reader = UserFactory()
    StaffRole.objects.create(user=reader, role="reader")
    NoticeSettings.objects.create(user=reader, pages=["failed"])
    want(desk, pages=frozenset({Kind.FAILED}))
    visit = AppointmentFactory(patient=PatientFactory(), site=site, start=timezone.now() + timedelta(days=3))
    CommunicationFactory(appointment=visit, status="not-done", attempts=5)
    for _ in range(2):
        staff_notices.collect(now=timezone.now())
    assert noticed(desk.user) == ["failed"]
    assert noticed(reader) == []


def test_a_request_is_on_the_open_pages_and_its_email_can_be_turned_off(service, chen, ada, desk, dana):
    service.on_request = True
    service.save()
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    assert emails_of_staff(visit) == ("dana@example.com",)
    want(desk, pages=frozenset({Kind.REQUEST}))
    assert emails_of_staff(visit) == ()
    staff_notices.collect(now=timezone.now())
    assert noticed(dana) == ["request"]
    (notice,) = staff_notices.unseen_notices_of(desk, most=5, now=timezone.now())
    staff_notices.dismiss(desk, until=notice.occurred, now=timezone.now())
    assert staff_notices.unseen_notices_of(desk, most=5, now=timezone.now()) == []
    assert len(staff_notices.notices_of(desk, now=timezone.now())) == 1


def test_who_sees_a_visit_no_more_reads_no_notice_of_it(service, chen, ada, desk, dana):
    want(desk, email=CHANGES, pages=CHANGES)
    book(wish(service, chen, at=monday(10), patient=ada))
    staff_notices.collect(now=timezone.now())
    dana.desk_locations.set([LocationFactory()])
    desk = Caller(user=dana)
    assert staff_notices.notices_of(desk, now=timezone.now()) == []
    work(timedelta(minutes=6))
    assert emails() == []


def test_the_feed_is_read_while_somebody_wants_it(desk):
    want(desk, email=CHANGES)
    assert EventConsumer.objects.count() == 1
    desk.user.refresh_from_db()
    assert desk.user.told_on_pages is False
    want(desk, pages=frozenset({Kind.FAILED}))
    assert not EventConsumer.objects.exists()
    desk.user.refresh_from_db()
    assert desk.user.told_on_pages is True


def test_a_change_from_another_window_is_not_overwritten(desk, ada):
    want(desk, email=CHANGES)
    with pytest.raises(VersionConflict):
        staff_notices.save_preferences(Preferences(), caller=desk)
    with pytest.raises(Forbidden):
        staff_notices.save_preferences(Preferences(), caller=Caller(user=ada.user))


@pytest.mark.parametrize(
    ("hour", "clock", "day"),
    [(7, "06:59", None), (7, "07:01", 0), (18, "17:59", None), (18, "18:01", 1)],
)
def test_the_digest_has_the_visits_of_the_day_at_the_hour_of_choice(site, desk, hour, clock, day):
    today = date(2030, 3, 5)
    for number in range(2):
        start = datetime.combine(today + timedelta(days=number), time(9 + number), ZoneInfo(NEW_YORK))
        AppointmentFactory(patient=PatientFactory(family="Quinn"), site=site, start=start)
        AppointmentFactory(patient=PatientFactory(), site=LocationFactory(), start=start)
    want(desk, digest_at=time(hour))
    now = datetime.combine(today, time.fromisoformat(clock), ZoneInfo(NEW_YORK))
    for _ in range(2):
        staff_notices.send_digests(now=now)
    if day is None:
        assert emails() == []
        return
    (email,) = emails()
    assert email.subject == f"Visits on {'Tuesday, March 5' if day == 0 else 'Wednesday, March 6'}: 1"
    assert f"{9 + day}:00" in email.body
    assert f"/staff/today/?date={today + timedelta(days=day)}" in email.body
    assert "Quinn" not in email.body


def test_a_day_without_visits_has_no_digest(desk):
    want(desk, digest_at=time(7))
    staff_notices.send_digests(now=datetime(2030, 3, 5, 8, tzinfo=ZoneInfo(NEW_YORK)))
    assert emails() == []
    assert not Appointment.objects.exists()
