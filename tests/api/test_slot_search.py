"""Free times in plain searches for Slots, as Salesforce's and Oracle's clients send them."""

import tracemalloc
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Slot
from tests.api.conftest import Api, api_with, codes, ids, links
from tests.api.dialects import DERMATOLOGY, OFFICE_VISIT, SNOMED, VISIT_TYPE, matches, window
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
NPI = "http://hl7.org/fhir/sid/us-npi"
V2_0276 = "http://terminology.hl7.org/CodeSystem/v2-0276"
DAY = {"start": [f"ge{instant(monday(0))}", f"lt{instant(monday(0, days=1))}"]}
FREE_DAY = {**DAY, "status": "free"}


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=60, interval=60)


@pytest.fixture
def chen(service):
    actor = PractitionerFactory(fhir_id="dr-chen", identifier=[{"system": NPI, "value": "323"}])
    site = LocationFactory(fhir_id="napa", name="Napa Office")
    return ScheduleFactory(fhir_id="of-chen", services=[service], actor=actor, site=site)


@pytest.fixture
def singh(service):
    return ScheduleFactory(fhir_id="of-singh", services=[service], actor=PractitionerFactory(fhir_id="dr-singh"))


def slots(api, **query):
    answer = api.get("Slot", query)
    return matches(answer) if "entry" in answer.fhir else []


def starts(found):
    return [slot["start"] for slot in found]


def hours(*of_monday):
    return [instant(monday(hour)) for hour in of_monday]


def included(answer):
    return [each["resource"]["id"] for each in answer.fhir["entry"] if each["search"]["mode"] == "include"]


def pages(api, path, relation="next"):
    while path:
        response = api.get(path)
        yield ids(response)
        path = links(response).get(relation)


# Found


def test_free_times_are_found_with_the_ids_and_elements_of_prefetch(api, chen):
    found = slots(api, **FREE_DAY)
    assert starts(found) == hours(9, 10, 11, 12, 13, 14, 15, 16)
    assert found == matches(api.get("Slot/$prefetch", window()))
    assert api.get(f"Slot/{found[0]['id']}").fhir == found[0]
    assert not Slot.objects.exists()


def test_a_search_as_salesforce_sends_it(api, chen, singh):
    sent = (
        f"schedule:Schedule.actor:Practitioner.identifier={NPI}|323,567&start=ge{instant(monday(9))}"
        f"&start=le{instant(monday(11))}&appointment-type={V2_0276}|ROUTINE,epic|ROUTINE&service-type={SNOMED}|11429006"
        "&status=free&_include=Slot:schedule&_sort=start"
    )
    answer = api.post("Slot/_search", sent, content_type=FORM)
    assert starts(matches(answer)) == hours(9, 10, 11)
    assert answer.fhir["total"] == 3
    assert [each["resource"]["id"] for each in answer.fhir["entry"] if each["search"]["mode"] == "include"] == [
        "of-chen"
    ]


def test_taken_held_or_closed_time_is_not_free(api, service, chen):
    AppointmentFactory(service=service, schedules=[chen], start=monday(10), end=monday(11))
    SlotFactory(schedule=chen, start=monday(13), end=monday(14), status="busy-tentative")
    SlotFactory(schedule=chen, start=monday(15), end=monday(17), status="busy-unavailable")
    assert starts(slots(api, **FREE_DAY)) == hours(9, 11, 12, 14)


def test_without_a_status_stored_slots_and_free_times_are_found_in_one_order(api, chen):
    taken = SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    extra = SlotFactory(schedule=chen, status="free", start=monday(10), end=monday(12))
    found = slots(api, **DAY)
    assert starts(found) == hours(9, 10, 10, 11, 12, 13, 14, 15, 16)
    assert [found[0]["id"], found[1]["id"]] == [taken.fhir_id, extra.fhir_id]
    assert all(each["id"].startswith("free-") for each in found[2:])


def test_extra_time_stays_free_in_name_while_what_is_bookable_in_it_is_computed(api, service, chen):
    """A stored free Slot says that there are hours then; a computed one that nobody has that time."""
    extra = SlotFactory(schedule=chen, status="free", start=monday(18), end=monday(20))
    SlotFactory(schedule=chen, start=monday(18), end=monday(19))
    evening = {"start": [f"ge{instant(monday(18))}", f"lt{instant(monday(20))}"], "status": "free"}
    stored, computed = slots(api, **evening)
    assert (stored["id"], stored["meta"]["versionId"]) == (extra.fhir_id, "1")
    assert (computed["id"][:5], computed["start"], "versionId" in computed["meta"]) == (
        "free-",
        instant(monday(19)),
        False,
    )


CONDITIONS = {
    "": 16,
    "status=free": 16,
    "status=http://hl7.org/fhir/slotstatus|free": 16,
    "status=busy,free": 16,
    "status:not=busy": 16,
    "status=busy": 0,
    "status:not=free": 0,
    "status:missing=true": 0,
    "schedule=Schedule/of-chen": 8,
    "schedule=of-chen,of-singh": 16,
    "schedule=http://testserver/fhir/R4/Schedule/of-chen": 8,
    "schedule=http://elsewhere.example/Schedule/of-chen": 0,
    "schedule=Practitioner/dr-chen": 0,
    "schedule:missing=false": 16,
    "schedule.actor=Practitioner/dr-chen": 8,
    "schedule.actor=dr-chen&schedule=of-singh": 0,
    "schedule.actor:Practitioner=dr-chen": 8,
    f"schedule:Schedule.actor:Practitioner.identifier={NPI}|323": 8,
    f"schedule:Schedule.actor:Practitioner.identifier={NPI}|999": 0,
    "schedule:Schedule.actor:Practitioner._id=dr-singh": 8,
    "schedule.location=napa": 8,
    "schedule.actor:Location=napa": 8,
    "schedule:Schedule.actor:Location._id=napa,elsewhere&schedule:Schedule.actor:Practitioner._id=dr-chen": 8,
    "schedule:Schedule.actor:Location._id=napa&schedule:Schedule.actor:Practitioner._id=dr-singh": 0,
    "schedule.actor:Location.name=Napa": 8,
    "schedule.active=false": 0,
    f"service-type={SNOMED}|11429006": 16,
    "service-type=office-visit": 16,
    f"service-type={SNOMED}|": 16,
    f"service-type={SNOMED}|1,office-visit": 16,
    "service-type=|11429006": 0,
    "service-type:not=office-visit": 0,
    "service-type:missing=true": 0,
    "service-category:missing=true": 16,
    "service-category=gp": 0,
    f"specialty={SNOMED}|394582007": 8,
    "specialty:missing=true": 8,
    f"appointment-type={V2_0276}|ROUTINE": 16,
    "appointment-type=http://hl7.org/fhir/v2/0276|ROUTINE": 16,
    "appointment-type=WALKIN": 0,
    "appointment-type:not=WALKIN": 16,
    "identifier=x": 0,
    "identifier:missing=true": 0,
    "_lastUpdated=gt2000": 0,
    "_has:Appointment:slot:status=booked": 0,
    "_filter=status eq free": 0,
}


@pytest.mark.parametrize(("query", "count"), CONDITIONS.items())
def test_conditions(api, chen, singh, query, count):
    RoleFactory(practitioner=singh.bookable.practitioner, specialty=[DERMATOLOGY])
    day = f"start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=1))}"
    assert api.get(f"Slot?{day}&{query}&_count=0").fhir["total"] == count


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (["{10}"], [10]),
        (["{day}"], [9, 10, 11, 12, 13, 14, 15, 16]),
        (["gt{10}", "lt{12}"], [11]),
        (["sa{14}", "eb{16}"], [15]),
        (["ge{10}", "le{11}"], [10, 11]),
        (["{10},{12}"], [10, 12]),
        (["{day}", "ne{10}"], [9, 11, 12, 13, 14, 15, 16]),
        (["ge{12}", "lt{11}"], []),
    ],
)
def test_times(api, chen, start, found):
    named = [each.format(*hours(*range(17)), day=monday(12).date().isoformat()) for each in start]
    assert starts(slots(api, status="free", start=named)) == hours(*found)


def test_a_specialty_is_the_services_or_the_practitioners_and_is_shown(api, chen, singh):
    RoleFactory(practitioner=singh.bookable.practitioner, specialty=[DERMATOLOGY])
    [first, *_] = slots(api, **FREE_DAY, specialty="394582007")
    assert (first["schedule"]["reference"], first["specialty"]) == (singh.reference, [DERMATOLOGY])
    assert matches(api.get("Slot/$prefetch", window(specialty=f"{SNOMED}|394582007")))[0] == first


def test_a_type_of_appointment_is_the_services_or_follows_from_its_type(api, service, chen, singh):
    follow_up = {"coding": [{"system": VISIT_TYPE, "code": "follow-up"}]}
    ScheduleFactory(fhir_id="of-okoye", services=[ServiceFactory(type=[follow_up])])
    walk_in = ServiceFactory(type=[follow_up], appointment_type="WALKIN")
    ScheduleFactory(fhir_id="of-nurse", services=[walk_in])
    for kind, schedules in (
        ("ROUTINE", {"Schedule/of-chen", "Schedule/of-singh"}),
        (f"{V2_0276}|FOLLOWUP,{V2_0276}|WALKIN", {"Schedule/of-okoye", "Schedule/of-nurse"}),
    ):
        found = slots(api, **FREE_DAY, _count="1000", **{"appointment-type": kind})
        assert {each["schedule"]["reference"] for each in found} == schedules
    extension = next(each for each in api.get(walk_in.reference).fhir["extension"] if "appointmentType" in each["url"])
    assert extension["valueCoding"] == {"system": V2_0276, "code": "WALKIN"}


def test_free_slots_are_found_by_their_ids(api, chen):
    [first, second, *_] = slots(api, **FREE_DAY)
    stored = SlotFactory(schedule=chen, start=monday(16), end=monday(17))
    assert ids(api.get(f"Slot?_id={second['id']},{first['id']},{stored.fhir_id}")) == [
        first["id"],
        second["id"],
        stored.fhir_id,
    ]
    SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    assert ids(api.get(f"Slot?_id={first['id']}")) == []


# The window


def test_the_window_is_31_days_from_now_unless_another_is_named(api, service, chen):
    service.scheduling_parameters.update(availability=EVERY_DAY)
    begun = timezone.now()
    found = slots(api, status="free", _count="1000")
    assert found[0]["start"] >= instant(begun)
    assert instant(begun + timedelta(days=29)) < found[-1]["start"] < instant(begun + timedelta(days=31, minutes=1))
    from_monday = slots(api, status="free", start=f"ge{instant(monday(0))}", _count="1000")
    assert from_monday[0]["start"] == instant(monday(9))
    assert from_monday[-1]["start"] == instant(monday(16, days=30))
    until_monday = slots(api, status="free", start=f"lt{instant(monday(0))}", _count="1000")
    assert until_monday[-1]["start"] < instant(monday(0))


def test_a_longer_window_is_answered_page_by_page(api, service, chen):
    """No hours but for extra time after three months: the pages before are empty, and each is quick."""
    service.scheduling_parameters.update(availability=[])
    SlotFactory(schedule=chen, status="free", start=monday(10, days=91), end=monday(11, days=91))
    path = f"Slot?status=free&start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=120))}"
    first = api.get(path)
    assert (ids(first), "total" in first.fhir, list(links(first))) == ([], False, ["self", "first", "next"])
    there = list(pages(api, path))
    assert [len(page) for page in there] == [0, 0, 2, 0]
    assert [len(page) for page in pages(api, f"{path}&_sort=-start")] == [2, 0, 0, 0]
    refused = api.get(f"{path}&_summary=count")
    assert (refused.status_code, codes(refused)) == (400, ["too-costly"])


def test_a_window_ends_where_nothing_can_be_booked_any_more(api, service, chen):
    service.booking_horizon_days = 20
    service.save()
    answer = api.get(f"Slot?status=free&start=ge{instant(monday(0))}&start=lt2190-01-01&_count=1000")
    assert "next" not in links(answer)
    assert answer.fhir["total"] == len(ids(answer)) > 0


# Order and pages


@pytest.fixture
def mixed(chen, singh):
    """Two calendars with visits, a block that begins between two starts, and extra time at a free start."""
    for schedule, hour in ((chen, 9), (singh, 9), (chen, 13), (singh, 16)):
        SlotFactory(schedule=schedule, start=monday(hour), end=monday(hour + 1))
    SlotFactory(schedule=singh, status="busy-unavailable", start=monday(11, 30), end=monday(12, 45))
    SlotFactory(schedule=chen, status="free", start=monday(10), end=monday(11))


@pytest.mark.parametrize("sort", ["", "start", "-start", "start,status", "-start,_id"])
@pytest.mark.parametrize("count", [1, 4])
def test_pages_hold_everything_once_in_order_and_lead_back(api, mixed, sort, count):
    query = f"Slot?start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=1))}&_sort={sort}"
    whole = api.get(f"{query}&_count=100")
    assert len(ids(whole)) == whole.fhir["total"] == 6 + 6 + 4
    found = starts(matches(whole))
    assert found == sorted(found, reverse=sort.startswith("-"))
    there, path = [], f"{query}&_count={count}"
    while path:
        response = api.get(path)
        assert response.fhir["total"] == 16
        there.append(ids(response))
        path = links(response).get("next")
    assert [each for page in there for each in page] == ids(whole)
    back = [ids(response)]
    while "previous" in links(response):
        response = api.get(links(response)["previous"])
        back.append(ids(response))
    assert [set(page) for page in back] == [set(page) for page in there[::-1]]
    assert ids(api.get(links(response)["first"])) == there[0]


def test_a_page_does_not_move_when_a_time_before_it_is_taken(api, chen, singh):
    first = api.get("Slot", {**FREE_DAY, "_count": "3"})
    chosen = [slot["schedule"]["reference"] for slot in matches(first)]
    assert len(set(chosen)) == 2
    SlotFactory(schedule=chen, start=monday(9), end=monday(11))
    assert starts(matches(api.get(links(first)["next"]))) == hours(10, 11, 11)


def test_the_window_of_later_pages_is_that_of_the_first(api, chen, singh):
    first = api.get("Slot?status=free&_count=5")
    assert sum(map(len, pages(api, links(first)["next"]))) == first.fhir["total"] - 5


def test_another_order_finds_stored_slots_only_and_says_so(api, chen):
    taken = SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    answer = api.get("Slot?_sort=-_lastUpdated")
    assert ids(answer) == [taken.fhir_id]
    assert answer.fhir["entry"][-1]["resource"]["issue"][0]["expression"] == ["_sort"]


def test_the_address_of_a_page_tells_nothing(api, chen):
    answer = api.post("Slot/_search", f"schedule.actor:Practitioner.identifier={NPI}|323&_count=1", content_type=FORM)
    address = urlsplit(links(answer)["next"])
    assert (address.path, address.query[:8], "&" in address.query) == ("/fhir/R4/Slot", "_cursor=", False)
    assert "323" not in address.query
    for path in (links(answer)["next"][:-8], links(answer)["next"] + "&status=free"):
        assert (api.get(path).status_code, codes(api.get(path))) == (400, ["invalid"])


# The form of the answer


def test_calendars_and_their_actors_are_included(api, chen, singh):
    query = {**FREE_DAY, "_include": "Slot:schedule", "_include:iterate": "Schedule:actor"}
    answer = api.get("Slot", query)
    assert included(answer) == ["of-chen", "of-singh", "dr-chen", "dr-singh"]
    assert answer.fhir["total"] == 16
    assert included(api.get("Slot", {**FREE_DAY, "_revinclude": "Appointment:slot"})) == []


def test_the_answer_has_the_form_that_was_asked_for(api, chen):
    assert "total" not in api.get("Slot", {**FREE_DAY, "_total": "none"}).fhir
    for query in ({"_summary": "count"}, {"_count": "0"}):
        counted = api.get("Slot", {**FREE_DAY, **query}).fhir
        assert (counted["total"], "entry" in counted) == (8, False)
    [first, *_] = slots(api, **FREE_DAY, _elements="start")
    assert set(first) == {"resourceType", "id", "meta", "status", "schedule", "start", "end"}
    assert first["meta"]["tag"][0]["code"] == "SUBSETTED"
    in_xml = api.get("Slot", {**FREE_DAY, "_format": "xml"})
    assert in_xml["Content-Type"].startswith("application/fhir+xml")
    assert in_xml.content.count(b'<id value="free-') == 8


@pytest.mark.parametrize(("prefer", "status"), [("", 400), ("handling=strict", 400), ("handling=lenient", 200)])
def test_unknown_parameters_are_refused_unless_the_client_is_lenient(api, chen, prefer, status):
    answer = api.get("Slot", {**FREE_DAY, "colour": "blue"}, prefer=prefer)
    assert answer.status_code == status
    assert status == 400 or len(ids(answer)) == 8


def test_free_slots_are_found_and_read_in_bundles(api, chen):
    [first, *_] = slots(api, **FREE_DAY)
    day = f"start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=1))}"
    for kind in ("batch", "transaction"):
        urls = (f"Slot?status=free&{day}", f"Slot/{first['id']}")
        entries = [{"request": {"method": "GET", "url": url}} for url in urls]
        searched, read = api.post("", {"resourceType": "Bundle", "type": kind, "entry": entries}).fhir["entry"]
        assert (searched["resource"]["total"], read["resource"]) == (8, first)


def test_conditional_writes_look_at_what_is_stored_only(api, chen):
    slot = {
        "resourceType": "Slot",
        "status": "busy",
        "schedule": {"reference": chen.reference},
        "start": instant(monday(9)),
        "end": instant(monday(10)),
    }
    answer = api.post("Slot", slot, if_none_exist=f"schedule=of-chen&start={instant(monday(9))}")
    assert answer.status_code == 201


# Who may


def test_everyone_who_may_find_times_finds_what_they_could_book(api, service, chen, ada):
    for_staff = ServiceFactory(bookable_by="staff", duration=60, interval=60)
    ScheduleFactory(fhir_id="of-nurse", services=[for_staff])
    hidden = SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    assert {each["schedule"]["reference"] for each in slots(api, **FREE_DAY)} == {chen.reference, "Schedule/of-nurse"}
    for reader in (
        Api(user=ada.user),
        Api(user=UserFactory()),
        api_with("system/Slot.rs"),
        api_with("system/Appointment.s"),
    ):
        found = {each["schedule"]["reference"] for each in slots(reader, **FREE_DAY)}
        assert chen.reference in found
    assert slots(Api(user=ada.user), **FREE_DAY) == [
        each for each in slots(api, **FREE_DAY) if each["schedule"]["reference"] == chen.reference
    ]
    assert hidden.fhir_id not in ids(Api(user=ada.user).get("Slot", DAY))
    assert hidden.fhir_id not in ids(api_with("system/Appointment.s").get("Slot", DAY))
    assert hidden.fhir_id in ids(api_with("system/Slot.s").get("Slot", DAY))


@pytest.mark.parametrize(
    ("scopes", "count"),
    [
        ("system/Slot.rs?status=free", 16),
        ("system/Slot.rs?status=busy", 0),
        ("system/Slot.rs?schedule=of-chen", 8),
        ("system/Slot.rs?status=busy system/Slot.rs?schedule=of-singh", 8),
        ("system/Slot.rs?schedule=of-singh system/Slot.s", 16),
        ("system/Slot.rs?colour=blue", 0),
        ("system/Slot.rs?status=busy system/Appointment.rs", 0),
    ],
)
def test_a_scope_with_search_parameters_opens_what_they_find(chen, singh, scopes, count):
    assert api_with(scopes).get("Slot", {**DAY, "_count": "0"}).fhir["total"] == count


def test_others_find_nothing(chen):
    assert Api().get("Slot", FREE_DAY).status_code == 401
    assert api_with("system/Patient.rs").get("Slot", FREE_DAY).status_code == 403
    assert api_with("system/Slot.r").get("Slot", FREE_DAY).status_code == 403
    assert api_with("system/Appointment.s").get("Slot", {**DAY, "status": "busy"}).status_code == 403


def test_a_calendar_that_is_hidden_is_found_by_nothing(service, chen, ada):
    """A patient's own calendar offers nothing here, and chains follow only to Schedules that the caller may see."""
    own = ScheduleFactory(actor=PatientFactory(), services=[service])
    assert ids(Api(user=ada.user).get("Slot", {**FREE_DAY, "schedule": own.reference})) == []
    reads_slots = api_with("system/Slot.rs")
    assert len(ids(reads_slots.get("Slot", {**FREE_DAY, "schedule": chen.reference}))) == 8
    assert ids(reads_slots.get("Slot", {**FREE_DAY, "schedule.actor": "Practitioner/dr-chen"})) == []


# How much


def statements(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_statements_do_not_depend_on_the_number_of_calendars_nor_on_the_page(api, service, chen):
    include = {"_include": "Slot:schedule", "_include:iterate": "Schedule:actor", "schedule.active": "true"}
    query = {"status": "free", "start": f"ge{instant(monday(0))}", **include}

    def second_page():
        return links(api.get("Slot", query))["next"]

    few = statements(lambda: api.get("Slot", query))
    path = second_page()
    few_later = statements(lambda: api.get(path))
    ScheduleFactory.create_batch(49, services=[service])
    assert statements(lambda: api.get("Slot", query)) <= few
    path = second_page()
    assert statements(lambda: api.get(path)) <= few_later < few <= 22


def test_a_deep_page_costs_one_page(api, service, chen):
    """The last page of a month is as cheap as the second."""
    path = links(api.get("Slot", {"status": "free", "start": f"ge{instant(monday(0))}", "_count": "20"}))["next"]
    costs = []
    while path:
        with CaptureQueriesContext(connection) as captured:
            response = api.get(path)
        costs.append(len(captured))
        path = links(response).get("next")
    assert len(costs) >= 7
    assert max(costs[1:]) <= costs[0] + 2


def test_memory_does_not_grow_with_the_window(api, service, chen):
    service.scheduling_parameters.update(duration=15, alignment_interval=15)
    ScheduleFactory.create_batch(20, services=[service])

    def peak(days):
        query = {"status": "free", "start": [f"ge{instant(monday(0))}", f"lt{instant(monday(0, days=days))}"]}
        api.get("Slot", query)  # fills the caches
        tracemalloc.start()
        total = api.get("Slot", query).fhir["total"]
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return total, most

    (few, low), (many, high) = peak(17), peak(31)
    assert many > 1.7 * few
    assert high < 1.3 * low
