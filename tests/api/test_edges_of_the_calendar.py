"""The first and the last instants of the calendar, in zones far east and far west: everything works."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.test import Client
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, CalendarFeed, Notification, Schedule, ScheduleChange
from scheduling import availability, subscriptions
from scheduling.subscriptions.payload import payload_of
from tests.api.conftest import ids
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("Pacific/Kiritimati", "America/New_York", "Pacific/Pago_Pago")
SPANS = {
    "first": (FIRST, FIRST + HOUR),
    "early": (FIRST + DAY / 2, FIRST + DAY / 2 + HOUR),
    "late": (LAST - DAY / 2, LAST - DAY / 2 + HOUR),
    "last": (LAST - HOUR, LAST),
}


class World:
    """A schedule planned for all time, with a visit, a block and a free Slot at each edge of the calendar."""

    def __init__(self, zone: str) -> None:
        self.site = LocationFactory(timezone=zone)
        self.service = ServiceFactory(hours=EVERY_DAY, timezone=zone)
        self.user = UserFactory(is_staff=True, is_superuser=True, desk_locations=[self.site])
        self.chen = PractitionerFactory(timezone=zone, user=UserFactory())
        self.ada = PatientFactory(user=UserFactory(), birth_date="1985-04-03")
        self.schedule = ScheduleFactory(
            actor=self.chen,
            site=self.site,
            services=[self.service],
            planning_start=FIRST,
            planning_end=LAST,
        )
        for name, (start, end) in SPANS.items():
            AppointmentFactory(
                fhir_id=f"visit-{name}",
                patient=self.ada,
                service=self.service,
                site=self.site,
                start=start,
                end=end,
                schedules=[self.schedule],
            )
            SlotFactory(schedule=self.schedule, status="free", start=start, end=end)


@pytest.fixture(params=ZONES)
def world(request) -> World:
    return World(request.param)


def test_the_engine_answers(world):
    """Searches over any period work; nothing can be booked at the edges, everything between them can."""
    [offering] = availability.offerings_of(world.service, [world.schedule.fhir_id])
    now = timezone.now()
    for start in (FIRST, LAST, LAST - DAY, FIRST + DAY):
        assert not availability.is_offered(world.service, [offering], start, now=now)
        assert availability.explain(world.service, [offering], start, now=now)[offering]
    assert availability.open_spans([offering], LAST - 3 * DAY, LAST)[offering.schedule]
    assert availability.open_spans([offering], FIRST, FIRST + 3 * DAY)[offering.schedule]
    arrangements = availability.arrangements_for(world.service)
    for start, end, found in (
        (now, now + 2 * DAY, True),
        (LAST - 3 * DAY, LAST - DAY, True),
        (LAST - HOUR, LAST, False),
    ):
        query = availability.TimeQuery(ways=availability.ways_of(world.service, arrangements), start=start, end=end)
        assert bool(availability.find_times(query, now=now)) == found


def test_subscribers_are_notified(world):
    subscription = SubscriptionFactory()
    ScheduleChange.objects.all().delete()
    Schedule.objects.filter(pk=world.schedule.pk).update(version=2)
    changes = [(None, None), *SPANS.values()]
    for start, end in changes:
        ScheduleChange.objects.create(schedule=world.schedule.pk, start=start, end=end)
    assert subscriptions.collect(now=timezone.now()) >= 1
    for notification in Notification.objects.filter(subscription=subscription):
        horizon: Any = payload_of(notification)["planningHorizon"]  # type: ignore[index]
        assert horizon["end"] > "9999-12-31"


SEARCHES = {
    "Slot?start=9999-12-31": 4,
    "Slot?start=9999": 4,
    "Slot?start=0001-01-01": 4,
    "Slot?start=ge9999-12-31T23:59:59Z": 0,
    "Slot?start=le0001-01-01T00:00:00Z": 2,
    "Slot?start=ap9999-12-31": 4,
    "Slot?start=ap0001-01-01": 4,
    "Slot?start=eb9999-12-31&identifier:missing=true": 4,
    "Slot?start=gt9999-12-31": 0,
    "Appointment?date=9999-12-31": 2,
    "Appointment?date=ne9999-12-31": 2,
    "Appointment?date=lt0001-01-02": 2,
    "Appointment?date=0001": 2,
    "Schedule?date=9999-12-31": 0,
    "Schedule?date=le9999-12-31": 1,
    "Schedule?date=ge9999-12-31": 1,
    "Schedule?date=ap0001-01-01": 1,
    "Patient?birthdate=ge9999-12-31": 0,
    "Patient?birthdate=ap0001-01-01": 0,
    "Patient?birthdate=lt9999-12-31": 1,
    "Patient?_lastUpdated=lt9999-12-31": 1,
    "Patient?_lastUpdated=gt0001-01-01": 1,
    "Appointment?_filter=date gt 9999-12-30": 2,
    "Appointment/_history?_since=0001-01-01T00:00:00Z": 4,
    "Appointment/_history?_since=9999-12-31T23:59:59Z": 0,
}


def test_searches_answer(api, db):
    World("Asia/Tokyo")
    for query, count in SEARCHES.items():
        response = api.get(query)
        assert (query, response.status_code) == (query, 200)
        assert (query, len(response.fhir.get("entry", []))) == (query, count)


def test_dates_are_read_as_they_were_written(api, world):
    schedule = api.get(f"Schedule/{world.schedule.fhir_id}").fhir
    assert schedule["planningHorizon"] == {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}
    assert api.put(f"Schedule/{world.schedule.fhir_id}", schedule).status_code == 200
    for name, (start, end) in SPANS.items():
        for address in (f"Appointment/visit-{name}", f"Appointment/visit-{name}/_history/1"):
            visit = api.get(address).fhir
            assert (visit["start"], visit["end"]) == (instant(start), instant(end))
        assert api.get(f"Appointment/visit-{name}?_format=xml").status_code == 200
        assert api.get(f"Appointment/visit-{name}/_history").status_code == 200
        patched = api.patch(f"Appointment/visit-{name}", [{"op": "add", "path": "/comment", "value": "Well"}])
        assert patched.status_code in (200, 409, 422)
    assert len(ids(api.get("Slot?_sort=start&identifier:missing=true"))) == 8


def test_slots_of_such_times_are_made_or_refused(api, world):
    for start, end in SPANS.values():
        for status in ("free", "busy", "busy-unavailable"):
            slot = {
                "resourceType": "Slot",
                "schedule": {"reference": world.schedule.reference},
                "status": status,
                "start": instant(start),
                "end": instant(end),
            }
            assert api.post("Slot", slot).status_code in (201, 409, 422)


@pytest.mark.parametrize("ask", ["Slot/$prefetch", "Appointment/$find"])
def test_free_time_is_published(api, world, ask):
    assert api.get(ask).status_code == 200
    assert b"".join(Client().get("/fhir/R4/$bulk-publish/Slot.ndjson").streaming_content)
    for query in ("?start=9999-12-31", "?start=0001-01-01&end=9999-12-31", "?start=9999-12-31T23:59:59Z"):
        assert api.get(ask + query).status_code in (200, 400)


PAGES = (
    "/admin/clinic/slot/",
    "/admin/clinic/slot/?status__exact=busy",
    "/admin/clinic/appointment/",
    "/admin/clinic/schedule/",
    "/admin/clinic/schedule/{schedule}/change/",
    "/admin/clinic/slot/{slots}/change/",
    "/admin/clinic/appointment/{visits}/change/",
    "/staff/?date=9999-12-31",
    "/staff/week/?date=9999-12-31",
    "/staff/month/?date=9999-12-31",
    "/staff/agenda/?date=9999-12-31",
    "/staff/?date=0001-01-01",
    "/staff/week/?date=0001-01-01",
    "/staff/hours/",
    "/staff/appointments/visit-first/",
    "/staff/appointments/visit-early/",
    "/staff/appointments/visit-late/",
    "/staff/appointments/visit-last/",
)
OWN_PAGES = (
    "/appointments/",
    "/appointments/visit-late/",
    "/appointments/visit-last/",
    "/appointments/visit-first/",
    "/appointments/visit-last/visit.ics",
    "/appointments/visit-first/visit.ics",
    "/appointments/visit-last/cancel/",
    "/appointments/visit-last/move/",
)


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_pages_are_shown(world):
    keys = {
        "schedule": [world.schedule.pk],
        "slots": list(world.schedule.slots.values_list("pk", flat=True)),
        "visits": list(Appointment.objects.values_list("pk", flat=True)),
    }
    staff, own = browser(world.user), browser(world.ada.user)
    addresses = [
        page.format(**{name: pk})
        for page in PAGES
        for name, pks in keys.items()
        for pk in (pks if f"{{{name}}}" in page else pks[:1])
        if f"{{{name}}}" in page or "{" not in page
    ]
    for address in dict.fromkeys(addresses):
        assert staff.get(address, follow=True).status_code == 200, address
    for span in ("9999-12-30&end=9999-12-31", "0001-01-01&end=0001-01-03"):  # shown, or refused with a reason
        assert staff.get(f"/staff/calendar/events/?start={span}").status_code in (200, 400)
    for address in OWN_PAGES:
        assert own.get(address, follow=True).status_code == 200, address


def test_feeds_are_read(world):
    for user in (world.ada.user, world.chen.user):
        address = browser(user).post("/calendars/", follow=True).context["address"].removeprefix("http://testserver")
        response = Client().get(address)
        assert response.status_code == 200
        assert icalendar.Calendar.from_ical(response.content).walk("VEVENT")
    assert CalendarFeed.objects.count() == 2
