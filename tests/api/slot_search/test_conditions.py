"""Free times in plain searches for Slots, as Salesforce's and Oracle's clients send them."""

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Slot
from tests.api.conftest import ids
from tests.api.dialects import DERMATOLOGY, SNOMED, VISIT_TYPE, matches, window
from tests.api.slot_search.searches import DAY, FORM, FREE_DAY, NPI, hours, slots, starts
from tests.factories import (
    AppointmentFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


V2_0276 = "http://terminology.hl7.org/CodeSystem/v2-0276"


def test_free_times_are_found_with_the_ids_and_elements_of_prefetch(api, chen):
    found = slots(api, **FREE_DAY)
    assert starts(found) == hours(9, 10, 11, 12, 13, 14, 15, 16)
    assert found == matches(api.get("Slot/$prefetch", window()))
    assert api.get(f"Slot/{found[0]['id']}").fhir == found[0]
    assert not Slot.objects.exists()


def test_a_search_as_salesforce_sends_it(api, chen, singh):
    sent = (
        f"schedule:Schedule.actor:Practitioner.identifier={NPI}|3234567893,567&start=ge{instant(monday(9))}"
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
    f"schedule:Schedule.actor:Practitioner.identifier={NPI}|3234567893": 8,
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
