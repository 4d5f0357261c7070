"""http://fhir.org/guides/argonaut-scheduling: Slot/$prefetch"""

import tracemalloc
from collections import deque

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, HealthcareService, Location, Practitioner, Schedule, Slot
from tests.api.conftest import Api, api_with, codes
from tests.api.dialects import OFFICE_VISIT, SNOMED, issues, matches, notes, parameters, window
from tests.api.visits import BOOK, HOLD
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
PREFETCH = "Slot/$prefetch"


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=60, interval=60)


@pytest.fixture
def napa():
    return LocationFactory(name="Napa Office", city="Napa")


@pytest.fixture
def chen(service, napa):
    return ScheduleFactory(services=[service], site=napa)


def prefetch(api, **query):
    return api.get(PREFETCH, window(**query))


def test_free_time_is_returned_as_slots(api, service, chen):
    answer = prefetch(api)
    first, *others = matches(answer)
    assert (answer.fhir["total"], len(others), issues(answer)) == (8, 7, [("information", "informational")])
    assert answer["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert first.pop("id").startswith("free-")
    assert first == {
        "resourceType": "Slot",
        "meta": {"profile": ["http://fhir.org/guides/argonaut-scheduling/StructureDefinition/prefetch-slot"]},
        "serviceType": first["serviceType"],
        "appointmentType": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "ROUTINE"}]},
        "status": "free",
        "schedule": {"reference": chen.reference, "display": str(chen.actor)},
        "start": instant(monday(9)),
        "end": instant(monday(10)),
        "comment": "Office visit, at Napa Office",
    }
    assert {each["code"] for each in first["serviceType"][0]["coding"]} == {"11429006", "office-visit", "consult"}


def test_taken_and_held_time_is_left_out(api, service, chen):
    AppointmentFactory(service=service, schedules=[chen], start=monday(10), end=monday(11))
    SlotFactory(schedule=chen, start=monday(13), end=monday(14), status="busy-tentative")
    free = {each["start"] for each in matches(prefetch(api))}
    assert len(free) == 6
    assert not free & {instant(monday(10)), instant(monday(13))}


CLOSED = {
    "practitioner": lambda: Practitioner.objects.update(active=False),
    "schedule": lambda: Schedule.objects.update(active=False),
    "service": lambda: HealthcareService.objects.update(active=False),
    "site": lambda: Location.objects.update(status="suspended"),
}


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_time_is_left_out(api, chen, closed):
    known = matches(prefetch(api))
    CLOSED[closed]()
    assert known
    assert matches(prefetch(api)) == []
    assert api.get(f"Slot/{known[0]['id']}").status_code == 404


def test_the_same_time_has_the_same_id_for_every_caller_and_query(api, chen, ada):
    whole = {each["start"]: each["id"] for each in matches(prefetch(api))}
    part = matches(prefetch(Api(user=ada.user), start=instant(monday(11)), practitioner=chen.actor.reference))
    assert {each["id"] for each in part} < set(whole.values())
    assert all(whole[each["start"]] == each["id"] for each in part)


def test_a_free_slot_is_read_for_as_long_as_it_is_free(api, chen):
    first = matches(prefetch(api))[0]
    path = f"Slot/{first['id']}"
    assert api.get(path).fhir == first
    SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    assert (api.get(path).status_code, codes(api.get(path))) == (404, ["not-found"])


def test_kinds_of_actors_are_all_of_them_and_several_any(api, service, chen, napa):
    there = ScheduleFactory(services=[service], site=LocationFactory(city="Sonoma"))
    people = [chen.actor.reference, there.actor.reference]
    for query, schedules in (
        ({"practitioner": people}, {chen, there}),
        ({"practitioner": people, "location-string": "Napa"}, {chen}),
        ({"location-reference": [napa.reference, there.site.reference]}, {chen, there}),
        ({"specialty": f"{SNOMED}|394582007"}, set()),
    ):
        found = {each["schedule"]["reference"] for each in matches(prefetch(api, **query))}
        assert found == {each.reference for each in schedules}


def test_one_who_is_free_in_two_rooms_has_one_slot(api, napa):
    service = ServiceFactory(requires=["Practitioner", "Location"], duration=60, interval=60)
    ScheduleFactory(services=[service], site=napa)
    for _ in range(2):
        ScheduleFactory(services=[service], actor=RoomFactory(part_of=napa), site=napa)
    assert len(matches(prefetch(api))) == 8


def test_nothing_free_is_said(api, chen):
    answer = prefetch(api, start=instant(monday(0, days=5)), end=instant(monday(0, days=6)))
    assert (answer.fhir["total"], notes(answer)) == (0, "0 times are free.")


def test_by_post_too(api, chen):
    body = {"resourceType": "Parameters", "parameter": [{"name": n, "valueDateTime": t} for n, t in window().items()]}
    body["parameter"].append({"name": "practitioner", "valueDateTime": chen.actor.reference})
    assert api.post(PREFETCH, body).fhir["total"] == 8


@pytest.mark.parametrize("accept", ["application/fhir+xml", "application/fhir+json"])
def test_for_people_and_in_xml_it_is_the_same(api, chen, accept):
    answer = api.get(PREFETCH, window(_pretty="true"), accept=accept)
    assert answer["Content-Type"].startswith(accept)
    assert answer.content.count(b"free-") == 16  # ids and addresses


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-01-05T24:00:00"},
        {"practitioner": "Dr Y"},
        {"colour": "blue"},
        {"end": "2020-01-01"},
        {"_count": "1001"},
        {"_cursor": "x"},
        {"_include": "Slot:colour"},
        {"_include": "Device:patient"},
    ],
)
def test_malformed_is_400(api, chen, query):
    assert api.get(PREFETCH, window(**query)).status_code == 400


def test_callers_who_may_prefetch(chen):
    assert Api().get(PREFETCH, window()).status_code == 401
    assert api_with("system/Patient.rs").get(PREFETCH, window()).status_code == 403
    assert api_with().post(PREFETCH).status_code == 400


# Pages, and what goes with them


def pages(api, **query):
    """The answers of all pages."""
    answer = api.get(PREFETCH, window(**query))
    yield answer
    while following := [link["url"] for link in answer.fhir.get("link", ())]:
        answer = api.get(following[0].removeprefix("http://testserver"))
        yield answer


@pytest.mark.parametrize(("count", "sizes"), [(3, [3, 3, 3, 3, 3, 1]), (8, [8, 8]), (16, [16]), (1000, [16])])
def test_pages_of_a_count_are_the_whole(api, service, chen, napa, count, sizes):
    ScheduleFactory(services=[service], site=napa)
    whole = matches(prefetch(api))
    answers = list(pages(api, _count=count))
    assert [len(matches(answer)) for answer in answers] == sizes
    assert [slot for answer in answers for slot in matches(answer)] == whole
    assert {answer.fhir["total"] for answer in answers} == {16}


def test_a_number_alone_is_answered_too(api, chen):
    answer = prefetch(api, _count=0)
    assert (answer.fhir["total"], matches(answer), "link" in answer.fhir) == (8, [], False)


def test_a_longer_window_is_answered_31_days_at_a_time(api, chen):
    answers = list(pages(api, end=instant(monday(0, days=70))))
    assert [len(matches(answer)) for answer in answers] == [23 * 8, 22 * 8, 5 * 8]
    assert not any("total" in answer.fhir for answer in answers)
    assert notes(answers[2]) == "40 times are free on this page."
    found = [slot for answer in answers for slot in matches(answer)]
    assert len({slot["id"] for slot in found}) == len(found) == 50 * 8
    in_hundreds = [len(matches(answer)) for answer in pages(api, end=instant(monday(0, days=70)), _count=100)]
    assert in_hundreds == [100, 100, 100, 100]


def test_the_address_of_a_page_tells_nothing_and_keeps_everything(api, chen, service):
    """A practitioner by identifier fits into no query: the link holds whatever a POST has said."""
    other = ScheduleFactory(services=[service])
    chen.actor.identifier = [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "323"}]
    chen.actor.save()
    npi = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "323"}}
    body = parameters(practitioner=npi, **window())
    body["parameter"].append({"name": "_count", "valueInteger": 5})
    first = api.post(PREFETCH, body)
    [link] = first.fhir["link"]
    assert link["relation"] == "next"
    assert link["url"].startswith(f"http://testserver/fhir/R4/{PREFETCH}?_cursor=")
    path = link["url"].removeprefix("http://testserver")
    second = matches(api.get(path))
    assert (len(second), {slot["schedule"]["reference"] for slot in second}) == (3, {chen.reference})
    assert other.reference not in {slot["schedule"]["reference"] for slot in matches(first)}
    assert len(matches(api.get(f"{path}&_count=2"))) == 2
    for wrong in (path[:-9], f"{path}&start=2026-01-05", path.replace("Slot/$prefetch", "Slot")):
        assert api.get(wrong).status_code == 400


def test_a_page_starts_where_the_one_before_ended_whatever_was_booked_since(api, service, chen, napa):
    singh = ScheduleFactory(services=[service], site=napa)
    first = prefetch(api, _count=3)
    SlotFactory(schedule=chen, start=monday(9), end=monday(11))
    [link] = first.fhir["link"]
    second = matches(api.get(link["url"].removeprefix("http://testserver")))
    assert [(slot["start"], slot["schedule"]["reference"]) for slot in second] == [
        (instant(monday(10)), singh.reference),
        (instant(monday(11)), chen.reference),
        (instant(monday(11)), singh.reference),
    ]


def test_calendars_and_their_actors_are_included(api, chen):
    answer = prefetch(api, **{"_include": "Slot:schedule", "_include:iterate": "Schedule:actor"})
    brought = [each for each in answer.fhir["entry"] if each["search"]["mode"] == "include"]
    assert [each["resource"]["resourceType"] for each in brought] == ["Schedule", "Practitioner"]
    assert brought[0]["fullUrl"] == f"http://testserver/fhir/R4/{chen.reference}"
    assert (len(matches(answer)), answer.fhir["total"], issues(answer)) == (8, 8, [("information", "informational")])
    reads_slots = api_with("system/Slot.rs")
    assert "include" not in {
        each["search"]["mode"] for each in prefetch(reads_slots, _include="Slot:schedule").fhir["entry"]
    }


# Booked


def booking_of(slot, ada):
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "start": slot["start"],
        "end": slot["end"],
        "participant": [{"actor": {"reference": ada.reference}, "status": "accepted"}],
    }


def test_a_free_slot_is_held_and_booked(api, service, chen, ada):
    other = ServiceFactory(duration=60, interval=60)
    ScheduleFactory(services=[service, other])
    slot = next(each for each in matches(prefetch(api)) if each["schedule"]["reference"] == chen.reference)
    [held] = matches(api.post(HOLD, booking_of(slot, ada)))
    assert (held["status"], held["slot"][0]["reference"]) == ("pending", Slot.objects.get().reference)
    [booked] = matches(api.post(BOOK, parameters(appt_id=f"Appointment/{held['id']}")))
    row = Appointment.objects.get()
    assert (booked["status"], row.patient, row.service) == ("booked", ada, service)
    assert booked["appointmentType"] == slot["appointmentType"]
    assert row.slots.get().schedule == chen


def test_a_free_slot_brings_the_room(api, napa, ada):
    service = ServiceFactory(requires=["Practitioner", "Location"])
    schedules = [
        ScheduleFactory(services=[service], site=napa),
        ScheduleFactory(services=[service], actor=RoomFactory(part_of=napa), site=napa),
    ]
    answer = api.post(BOOK, booking_of(matches(prefetch(api))[0], ada))
    assert answer.status_code == 201
    assert {slot.schedule for slot in Slot.objects.all()} == set(schedules)


def test_a_slot_that_is_free_no_more_is_refused(api, chen, ada):
    slot = matches(prefetch(api))[0]
    SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    answer = api.post(BOOK, booking_of(slot, ada))
    assert (matches(answer)[0]["status"], issues(answer)) == ("cancelled", [("error", "conflict")])


@pytest.mark.parametrize(
    ("change", "status"),
    [({"slot": [{"reference": "Slot/x"}]}, 404), ({"start": instant(monday(10)), "end": instant(monday(11))}, 400)],
)
def test_a_slot_that_is_another(api, chen, ada, change, status):
    slot = matches(prefetch(api))[0]
    assert api.post(BOOK, booking_of(slot, ada) | change).status_code == status


# How much


def streamed(api, days):
    query = {"start": instant(monday(0)), "end": instant(monday(0, days=days))}
    return api.client.get(f"/fhir/R4/{PREFETCH}", query, headers=api.headers).streaming_content


def test_memory_does_not_grow_with_the_number_of_slots(api, service, napa):
    service.scheduling_parameters.update(duration=15, alignment_interval=15)
    ScheduleFactory.create_batch(10, services=[service], site=napa)
    deque(streamed(api, 28), maxlen=0)  # fills the caches

    def peak(days):
        tracemalloc.start()
        size = sum(map(len, streamed(api, days)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size, most

    (little, low), (much, high) = peak(7), peak(28)
    assert much > 3.9 * little
    assert high < 1.3 * low
    assert high < much / 4


def test_statements_are_by_days_and_not_by_schedules(api, service, chen):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            prefetch(api)
        return len(captured)

    first = statements()
    ScheduleFactory.create_batch(4, services=[service, ServiceFactory()])
    assert statements() == first
