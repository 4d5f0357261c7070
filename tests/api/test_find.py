"""https://www.medplum.com/docs/scheduling/appointment-find"""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.fhir import codes as urls
from clinic.fhir.datatypes import instant
from tests.api.conftest import Api, api_with, codes
from tests.api.visits import BOOK, FIND, find_query, found, issues_of, starts
from tests.factories import (
    AppointmentFactory,
    DeviceFactory,
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    """Half an hour on the quarter, Monday to Friday from 9 to 5 in New York."""
    return ServiceFactory(name="Check-up", buffer_before=5, buffer_after=10)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def test_a_proposal_is_all_that_booking_needs(api, service, chen):
    first = found(api, service, chen)[0]
    actor = chen.actor
    assert first == {
        "resourceType": "Appointment",
        "status": "proposed",
        "start": instant(monday(9, 15)),
        "end": instant(monday(9, 45)),
        "serviceType": [
            {
                **service.type[0],
                "extension": [
                    {
                        "url": "https://medplum.com/fhir/service-type-reference",
                        "valueReference": {"reference": service.reference, "display": "Check-up"},
                    }
                ],
            }
        ],
        "participant": [
            {
                "type": [
                    {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                "code": "PPRF",
                                "display": "primary performer",
                            }
                        ]
                    }
                ],
                "actor": {"reference": actor.reference, "display": str(actor)},
                "required": "required",
                "status": "needs-action",
            }
        ],
        "requestedPeriod": [{"start": instant(monday(0)), "end": instant(monday(0, days=1))}],
        "contained": [
            slot(chen, "busy", monday(9, 15), monday(9, 45), id="slot-1"),
            slot(
                chen,
                "busy-unavailable",
                monday(9, 10),
                monday(9, 15),
                id="slot-2",
                comment="buffer before appointment",
            ),
            slot(
                chen, "busy-unavailable", monday(9, 45), monday(9, 55), id="slot-3", comment="buffer after appointment"
            ),
        ],
        "slot": [{"reference": "#slot-1"}, {"reference": "#slot-2"}, {"reference": "#slot-3"}],
    }


def slot(schedule, status, start, end, **more):
    return {
        "resourceType": "Slot",
        "schedule": {"reference": schedule.reference},
        "status": status,
        "start": instant(start),
        "end": instant(end),
        **more,
    }


def test_a_page_holds_twenty_and_says_that_there_are_more(api, service, chen):
    answer = api.get(FIND, find_query(service, chen))
    assert (answer.status_code, len(answer.fhir["entry"])) == (200, 20)
    assert "total" not in answer.fhir  # Bundle.total would count all pages
    assert [link["relation"] for link in answer.fhir["link"]] == ["self", "next"]


@pytest.mark.parametrize("count", [1, 7, 29])
def test_the_pages_are_the_whole(api, service, chen, count):
    other = ScheduleFactory(services=[service])
    pool = f"{chen.reference},{other.reference}"
    query = find_query(service, pool, _count=count)
    whole = starts(found(api, service, pool))
    paged, address = [], FIND
    while address:
        answer = api.get(address, query)
        paged += [entry["resource"] for entry in answer.fhir["entry"]]
        following = [link["url"] for link in answer.fhir["link"] if link["relation"] == "next"]
        address, query = (following or [""])[0].removeprefix("http://testserver"), None
    assert starts(paged) == whole
    assert len({each["requestedPeriod"][0]["start"] for each in paged}) == 1


def test_visits_at_one_time_may_fall_on_two_pages(api):
    """Each site has another practitioner and room at the same time."""
    service = ServiceFactory(requires=["Practitioner", "Location"])
    for _ in range(3):
        site = LocationFactory()
        ScheduleFactory(services=[service], site=site)
        ScheduleFactory(services=[service], site=site, actor=RoomFactory(part_of=site))
    query = find_query(service, _count=2)
    actors, address = [], FIND
    for _ in range(3):
        answer = api.get(address, query)
        actors += [entry["resource"]["participant"][0]["actor"]["reference"] for entry in answer.fhir["entry"]]
        address, query = answer.fhir["link"][1]["url"].removeprefix("http://testserver"), None
    assert len(set(actors[:3])) == len(set(actors[3:])) == 3


def test_nothing_free_is_said(api, service, chen):
    answer = api.get(FIND, find_query(service, chen, start=monday(0, days=5), end=monday(0, days=6)))
    [entry] = answer.fhir["entry"]
    assert "total" not in answer.fhir
    assert entry["fullUrl"].startswith("urn:uuid:")
    assert (entry["search"], entry["resource"]["resourceType"]) == ({"mode": "outcome"}, "OperationOutcome")


def test_repeated_schedules_are_all_of_them_and_commas_any_of_them(api, service, chen):
    okafor, room = ScheduleFactory(services=[service]), ScheduleFactory(services=[service], actor=RoomFactory())
    SlotFactory(schedule=chen, start=monday(9), end=monday(12))
    SlotFactory(schedule=room, start=monday(13), end=monday(17))
    together = found(api, service, f"{chen.reference},{okafor.reference}", room)
    assert (together[0]["start"], together[-1]["end"]) == (instant(monday(9, 15)), instant(monday(12, 45)))
    assert together[0]["participant"][0]["actor"]["reference"] == okafor.actor.reference
    alone = found(api, service, chen, room)
    assert {each["participant"][0]["actor"]["reference"] for each in alone} == {chen.actor.reference}
    assert alone[0]["start"] >= instant(monday(12))


def test_devices_are_no_participants(api, service, chen):
    device = ScheduleFactory(services=[service], actor=DeviceFactory(name="Ultrasound"))
    first = found(api, service, device, chen)[0]
    assert [each["actor"]["reference"] for each in first["participant"]] == [chen.actor.reference]
    assert first["supportingInformation"] == [{"reference": device.actor.reference, "display": "Ultrasound"}]
    assert [each["id"] for each in first["contained"]] == [f"slot-{n}" for n in range(1, 7)]
    assert first["slot"] == [{"reference": f"#{each['id']}"} for each in first["contained"]]


def test_a_group_says_its_capacity(api):
    service = ServiceFactory(capacity=8)
    [busy] = found(api, service, ScheduleFactory(services=[service]))[0]["contained"]
    assert busy["extension"] == [{"url": urls.SLOT_CAPACITY, "valuePositiveInt": 8}]


def test_without_a_schedule_it_is_whoever_gives_the_service(api, service, chen):
    okafor = ScheduleFactory(services=[service])
    query = find_query(service, _count=1000)
    everybody = api.get(FIND, query).fhir["entry"]
    his = api.get(FIND, {**query, "practitioner": okafor.actor.reference}).fhir["entry"]
    assert {actor_of(entry) for entry in his} == {okafor.actor.reference}
    assert {actor_of(entry) for entry in everybody} == {chen.actor.reference}  # the first that is possible
    nowhere = api.get(FIND, {**query, "location-reference": LocationFactory().reference})
    assert [entry["search"]["mode"] for entry in nowhere.fhir["entry"]] == ["outcome"]


def test_the_practitioner_is_narrowed_down_wherever_the_service_requires_one(api):
    service = ServiceFactory(requires=["Location", "Practitioner"])
    ScheduleFactory(services=[service], actor=RoomFactory())
    _, okafor = ScheduleFactory.create_batch(2, services=[service])
    answer = api.get(FIND, find_query(service, practitioner=okafor.actor.reference))
    assert actor_of(answer.fhir["entry"][0]) != okafor.actor.reference  # the room comes first
    people = {each["actor"]["reference"] for each in answer.fhir["entry"][0]["resource"]["participant"]}
    assert okafor.actor.reference in people


def test_a_time_found_on_two_grids_can_be_booked(api, service, chen):
    """Dr Okafor's visits start every 20 minutes, the room's every 15: they meet on the hour."""
    okafor = ScheduleFactory(services=[service], parameters={"alignment_interval": 20})
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    SlotFactory(schedule=chen, start=monday(9), end=monday(12))
    first = found(api, service, f"{chen.reference},{okafor.reference}", room)[0]
    assert (first["start"], first["participant"][0]["actor"]["reference"]) == (
        instant(monday(10)),
        okafor.actor.reference,
    )
    assert api.post(BOOK, first).status_code == 201


def test_pools_that_stand_in_each_others_way(api, service):
    """A visit takes one schedule of each pool, all different; seven pools of the same six schedules have no times."""
    everybody = [each.reference for each in ScheduleFactory.create_batch(12, services=[service])]
    pools = [",".join(each for each in everybody if each != everybody[n]) for n in range(1, 7)]
    first = found(api, service, *pools, everybody[0])[0]
    assert len({each["actor"]["reference"] for each in first["participant"]}) == 7
    six = everybody[:6]
    turned = [",".join(six[n:] + six[:n]) for n in range(6)]
    assert found(api, service, *turned, ",".join(reversed(six))) == []


def actor_of(entry):
    return entry["resource"]["participant"][0]["actor"]["reference"]


def test_the_slots_of_the_ignored_appointment_are_free(api, service, chen):
    moved = AppointmentFactory(service=service, schedules=[chen], start=monday(10))
    taken = starts(found(api, service, chen))
    free = starts(found(api, service, chen, **{"ignore-appointment": moved.reference}))
    assert instant(monday(10)) not in taken
    assert instant(monday(10)) in free


@pytest.mark.parametrize(
    ("start", "end", "first"),
    [
        pytest.param("{day}", "{next_day}", (9, 15), id="days are from midnight to midnight in UTC"),
        pytest.param("{day}T10:00:00-05:00", "{day}T12:00:00-05:00", None, id="another offset"),
        pytest.param("{day}T10:00:00 01:00", "{day}T23:00:00Z", (9, 15), id="a plus that nobody escaped"),
    ],
)
def test_times_are_read_as_fhir_writes_them(api, service, chen, start, end, first):
    days = {"day": f"{monday(0):%Y-%m-%d}", "next_day": f"{monday(0, days=1):%Y-%m-%d}"}
    query = {**find_query(service, chen), "start": start.format(**days), "end": end.format(**days)}
    answer = api.get(FIND, query)
    assert answer.status_code == 200
    if first:
        assert answer.fhir["entry"][0]["resource"]["start"] == instant(monday(*first))


def test_without_a_window_it_is_the_next_month(api, service, chen):
    query = {"service-type-reference": service.reference, "schedule": chen.reference}
    answer = api.get(FIND, query)
    [window] = answer.fhir["entry"][0]["resource"]["requestedPeriod"]
    assert len(answer.fhir["entry"]) == 20
    self_link = parse_qs(urlsplit(answer.fhir["link"][0]["url"]).query)
    assert (self_link["start"], self_link["end"]) == ([window["start"]], [window["end"]])


BODIES = {
    "parameters": lambda query: {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "start", "valueDateTime": query["start"]},
            {"name": "end", "valueDateTime": query["end"]},
            {"name": "service-type-reference", "valueReference": {"reference": query["service-type-reference"]}},
            *({"name": "schedule", "valueReference": {"reference": each}} for each in query["schedule"]),
        ],
    },
    "plain JSON": lambda query: query,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_post_finds_what_get_finds(api, service, chen, body):
    query = find_query(service, chen)
    answer = api.request("POST", FIND, body(query), query={"_count": 3})
    assert answer.fhir == api.get(FIND, {**query, "_count": 3}).fhir


@pytest.mark.parametrize(
    "reference", ["http://testserver/fhir/R4/{}", "{}/_history/3", "http://testserver/fhir/R4/{}/_history/1"]
)
def test_references_may_be_absolute_or_of_a_version(api, service, chen, reference):
    assert found(api, service, reference.format(chen.reference))


MALFORMED = {
    "no service": ({"service-type-reference": []}, "Expected at least 1 value(s) for required input parameter"),
    "two starts": ({"start": ["2027-01-01", "2027-01-02"]}, "Expected 1 value(s) for input parameter start, but 2"),
    "start is no time": ({"start": "tomorrow"}, "Invalid time value"),
    "start without offset": ({"start": "2027-01-04T09:00:00"}, "Invalid time value"),
    "no such day": ({"start": "2026-02-30"}, "'2026-02-30' is not a date"),
    "the year 1": ({"start": "0001-01-01", "end": "0001-01-02"}, "Times lie between"),
    "the year 9999": ({"start": "9999-12-30", "end": "9999-12-31"}, "Times lie between"),
    "a number": ({"start": "1" + "0" * 20}, "Invalid time value"),
    "from end to start": ({"end": "2026-01-01"}, "Invalid search time range"),
    "32 days": ({"end": instant(monday(0, days=32))}, "Search range cannot exceed 31 days"),
    "count is no number": ({"_count": "abc"}, "Invalid value 'abc' provided for integer parameter '_count'"),
    "count is 0": ({"_count": "0"}, "Invalid _count, minimum required is 1"),
    "count is 1001": ({"_count": "1001"}, "Invalid _count, maximum allowed is 1000"),
    "count is huge": ({"_count": "9" * 5000}, "Invalid value"),
    "schedule of another type": ({"schedule": "Practitioner/chen"}, "Invalid schedule reference"),
    "schedule elsewhere": ({"schedule": "https://other.example/fhir/Schedule/1"}, "Invalid schedule reference"),
    "schedule is empty": ({"schedule": ","}, "Invalid schedule reference"),
    "too many schedules": ({"schedule": [f"Schedule/{n}" for n in range(900)]}, "Too many schedules"),
    "a series of one": ({"occurrence-count": "1"}, "Invalid occurrence-count, minimum required is 2"),
    "a series of 53": ({"occurrence-count": "53"}, "Invalid occurrence-count, maximum allowed is 52"),
    "a series every day": ({"occurrence-count": "4", "week-interval": "0"}, "minimum required is 1"),
    "a series for ever": ({"occurrence-count": "52", "week-interval": "3"}, "A series lasts 104 weeks at most"),
    "a series with a longer window": (
        {"occurrence-count": "4", "end": instant(monday(0, days=8))},
        "Search range cannot exceed 7 days",
    ),
    "a series beside a visit": (
        {"occurrence-count": "4", "ignore-appointment": "Appointment/1"},
        "ignore-appointment cannot be combined with occurrence-count",
    ),
    "conflicts of no series": ({"conflicts": "include"}, "only for searches with occurrence-count"),
    "conflicts of another kind": ({"occurrence-count": "4", "conflicts": "all"}, "conflicts can only be 'include'"),
    "unknown parameter": ({"provider": "Practitioner/chen"}, "Unknown input parameter 'provider'"),
    "practitioner with schedule": ({"practitioner": "Practitioner/chen"}, "only for searches without a schedule"),
    "no page": ({"_page": "next"}, "Not a page of this search"),
}


@pytest.mark.parametrize(("change", "text"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_is_400_and_says_where(api, service, chen, change, text):
    answer = api.get(FIND, {**find_query(service, chen), **change})
    assert answer.status_code == 400
    issues = {issue["details"]["text"]: issue["expression"][0] for issue in answer.fhir["issue"]}
    [place] = {issues[each] for each in issues if text in each}
    assert place.startswith("Parameters.")


def test_every_problem_is_reported_at_once(api, service, chen):
    wrong = {"start": "x", "_count": "0", "schedule": [chen.reference, "Patient/1"], "who": "me"}
    answer = api.get(FIND, {**find_query(service), **wrong})
    assert issues_of(answer) == {
        ("Unknown input parameter 'who'", "Parameters.who"),
        ("Invalid time value", "Parameters.start"),
        ("Invalid schedule reference", "Parameters.schedule[1]"),
        ("Invalid _count, minimum required is 1", "Parameters._count"),
    }


@pytest.mark.parametrize(
    "body",
    [
        {"schedule": [f"Schedule/{n}" for n in range(5000)], "service-type-reference": "HealthcareService/1"},
        {"resourceType": "Patient"},
        {"resourceType": 7},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": [None, 1, {"name": "start"}, {"name": 1, "valueDate": "2027"}]},
        {"start": {"a": 1}, "end": 20, "service-type-reference": {"reference": 1}, "schedule": [{}, None, []]},
    ],
)
def test_bodies_that_are_nothing(api, body):
    answer = api.post(FIND, body)
    assert answer.status_code == 400
    assert all(issue["expression"][0].startswith("Parameters") for issue in answer.fhir["issue"])


def test_a_missing_reference_is_404_and_named(api, service, chen):
    gone = api.get(FIND, find_query(service, chen, "Schedule/gone"))
    assert (gone.status_code, issues_of(gone)) == (404, {("Loading schedule failed", "Parameters.schedule[1]")})
    query = {**find_query(service, chen), "service-type-reference": "HealthcareService/gone"}
    unknown = api.get(FIND, query)
    place = "Parameters.service-type-reference"
    assert (unknown.status_code, issues_of(unknown)) == (404, {("HealthcareService not found", place)})
    ignored = api.get(FIND, {**find_query(service, chen), "ignore-appointment": "Appointment/gone"})
    assert (ignored.status_code, issues_of(ignored)) == (
        404,
        {("Appointment not found", "Parameters.ignore-appointment")},
    )


def test_rules_are_422(api, service, chen):
    inactive = ScheduleFactory(services=[service], active=False)
    answer = api.get(FIND, find_query(service, inactive))
    assert (answer.status_code, issues_of(answer)) == (422, {("Schedule is inactive", "Parameters.schedule[0]")})
    closed = ServiceFactory(active=False)
    answer = api.get(FIND, find_query(closed, chen))
    expected = {("HealthcareService is inactive", "Parameters.service-type-reference")}
    assert (answer.status_code, issues_of(answer)) == (422, expected)


@pytest.mark.parametrize(
    ("planned", "text"),
    [
        ({"planning_start": monday(0, days=7)}, "Search range ends before schedule planning horizon starts"),
        ({"planning_end": monday(0, days=-7)}, "Search range starts after schedule planning horizon ends"),
    ],
)
def test_beyond_the_planning_horizon(api, service, planned, text):
    answer = api.get(FIND, find_query(service, ScheduleFactory(services=[service], **planned)))
    assert (answer.status_code, issues_of(answer)) == (422, {(text, "Parameters.schedule[0]")})


def test_schedules_that_cannot_be_one_visit(api, service, chen):
    longer = ScheduleFactory(services=[service], parameters={"duration": 60})
    answer = api.get(FIND, find_query(service, chen, longer))
    expected = {("Scheduling parameters attribute 'duration' does not match", "Parameters.schedule")}
    assert (answer.status_code, issues_of(answer)) == (400, expected)
    unrelated = ScheduleFactory()
    answer = api.get(FIND, find_query(service, unrelated))
    expected = {("Schedule is not schedulable for requested service type", "Parameters.schedule[0]")}
    assert (answer.status_code, issues_of(answer)) == (400, expected)


def test_callers_who_may_find(api, ada, service, chen):
    assert Api(user=ada.user).get(FIND, find_query(service, chen)).status_code == 200
    assert Api().get(FIND, find_query(service, chen)).status_code == 401
    refused = api_with("system/Patient.rs").get(FIND, find_query(service, chen))
    assert (refused.status_code, codes(refused)) == (403, ["forbidden"])


def test_other_methods_and_names(api):
    assert api.put(FIND, {}).status_code == 405
    assert api.get("Appointment/$guess").status_code == 404
    assert api.post("Appointment/chen/$find").status_code == 404


def test_two_statements_however_many_schedules_until_offerings_change(api, service):
    rooms = [ScheduleFactory(services=[service], actor=RoomFactory()) for _ in range(49)]
    chen = ScheduleFactory(services=[service], actor=PractitionerFactory())
    month = {"start": monday(0), "end": monday(0, days=31), "_count": 20}
    for schedules in ([chen], [chen, *rooms], []):
        proposals = found(api, service, *schedules, **month)
        with CaptureQueriesContext(connection) as statements:
            assert found(api, service, *schedules, **month) == proposals != []
        assert len(statements) == 2, [each["sql"] for each in statements]
