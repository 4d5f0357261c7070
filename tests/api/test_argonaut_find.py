"""http://fhir.org/guides/argonaut-scheduling: Appointment/$find"""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Slot
from tests.api.conftest import Api, api_with, codes, texts
from tests.api.dialects import (
    DERMATOLOGY,
    OFFICE_VISIT,
    SNOMED,
    VISIT_TYPE,
    found,
    issues,
    matches,
    notes,
    outcome,
    window,
)
from tests.api.visits import FIND, issues_of, starts
from tests.factories import (
    AppointmentFactory,
    CareTeamFactory,
    DeviceFactory,
    LocationFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


@pytest.fixture
def napa():
    return LocationFactory(name="Napa Office", line="12 Vine Street", city="Napa", state="CA", postal_code="94558")


@pytest.fixture
def service():
    """Office visits of an hour, from 9 to 5 in New York."""
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=60, interval=60)


@pytest.fixture
def chen(service, napa):
    return ScheduleFactory(services=[service], site=napa)


def who(proposals):
    return [each["participant"][0]["actor"]["reference"] for each in proposals]


def test_a_proposal_says_all_that_the_profiles_ask_for(api, service, chen, napa):
    first = found(api)[0]
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", first["id"])
    assert first["meta"]["profile"] == [
        "http://fhir.org/guides/argonaut-scheduling/StructureDefinition/argo-appt",
        "https://profiles.ihe.net/ITI/Scheduling/StructureDefinition/ihe-sched-appt",
    ]
    assert (first["status"], first["start"], first["end"]) == ("proposed", instant(monday(9)), instant(monday(10)))
    assert first["minutesDuration"] == 60
    assert first["appointmentType"]["coding"][0]["code"] == "ROUTINE"
    assert {each["code"] for each in first["serviceType"][0]["coding"]} == {"11429006", "office-visit", "consult"}
    assert first["requestedPeriod"] == [{"start": instant(monday(0)), "end": instant(monday(0, days=1))}]
    assert first["participant"] == [
        {
            "actor": {"reference": actor.reference, "display": str(actor)},
            "required": "required",
            "status": "needs-action",
        }
        for actor in (chen.actor, napa)
    ]
    [slot] = first["contained"]
    assert first["slot"] == [{"reference": f"#{slot['id']}"}]
    assert (slot["start"], slot["end"]) == (first["start"], first["end"])


def test_the_answer_counts_the_appointments_and_always_says_something(api, service, chen):
    answer = api.get(FIND, window())
    assert answer.fhir["type"] == "searchset"
    assert (answer.fhir["total"], len(answer.fhir["entry"])) == (8, 9)
    assert issues(answer) == [("information", "informational")]
    assert answer.fhir["entry"][0]["fullUrl"].startswith("http://testserver/fhir/R4/Appointment/")


def test_nothing_free_is_said_too(api, service, chen):
    query = {"start": instant(monday(0, days=5)), "end": instant(monday(0, days=6))}
    answer = api.get(FIND, query)
    assert (answer.fhir["total"], matches(answer)) == (0, [])
    assert "No time is free" in notes(answer)


def test_nothing_is_stored(api, service, chen):
    found(api)
    assert not Appointment.objects.exists()
    assert not Slot.objects.exists()


def test_everybody_who_has_the_time_is_a_proposal(api, service, chen, napa):
    okafor = ScheduleFactory(services=[service], site=napa)
    both = found(api)
    assert who(both[:2]) == [chen.actor.reference, okafor.actor.reference]
    assert both[0]["start"] == both[1]["start"]


def test_times_come_first_and_then_the_preferred(api, service, chen, napa):
    okafor = ScheduleFactory(services=[service], site=napa)
    SlotFactory(schedule=okafor, start=monday(9), end=monday(10))
    both = found(api, practitioner=[okafor.actor.reference, chen.actor.reference])
    assert who(both[:3]) == [chen.actor.reference, okafor.actor.reference, chen.actor.reference]


def test_a_role_is_shown_as_whose_it_is(api, service):
    role = RoleFactory()
    ScheduleFactory(services=[service], actor=role)
    assert who(found(api))[0] == role.practitioner.reference


def test_devices_are_no_participants(api):
    service = ServiceFactory(requires=["Practitioner", "Location", "Device"])
    for actor in (PractitionerFactory(), RoomFactory(name="Room 1"), DeviceFactory(name="Ultrasound")):
        ScheduleFactory(services=[service], actor=actor)
    first = found(api)[0]
    kinds = [each["actor"]["reference"].partition("/")[0] for each in first["participant"]]
    assert kinds == ["Practitioner", "Location"]
    assert first["supportingInformation"][0]["display"] == "Ultrasound"


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        (f"{SNOMED}|11429006", True),
        (f"{VISIT_TYPE}|office-visit", True),
        (f"{VISIT_TYPE}|walk-in", True),
        (f"{VISIT_TYPE}|mri", False),
        ("http://snomed.info/sct|310127009", False),
    ],
)
def test_visit_types_are_found_by_either_code(api, service, chen, query, is_found):
    assert bool(found(api, **{"visit-type": query})) == is_found


def test_a_service_in_argonauts_words_is_found_by_snomeds(api):
    service = ServiceFactory(type=[{"coding": [{"system": VISIT_TYPE, "code": "mri"}]}])
    ScheduleFactory(services=[service])
    assert found(api, **{"visit-type": f"{SNOMED}|310127009"})


def test_several_visit_types_are_any_of_them_in_that_order(api, service, chen):
    mri = ServiceFactory(type=[{"coding": [{"system": VISIT_TYPE, "code": "mri"}]}])
    ScheduleFactory(services=[mri])
    both = found(api, **{"visit-type": [f"{VISIT_TYPE}|mri", f"{VISIT_TYPE}|consult"]})
    assert [each["minutesDuration"] for each in both[:2]] == [30, 60]


SPECIALISTS = {
    "service": lambda service: ScheduleFactory(
        services=[ServiceFactory(specialty=[DERMATOLOGY])], actor=PractitionerFactory()
    ),
    "schedule": lambda service: ScheduleFactory(services=[service], specialty=[DERMATOLOGY]),
    "role": lambda service: ScheduleFactory(services=[service], actor=RoleFactory(specialty=[DERMATOLOGY])),
    "practitioner": lambda service: ScheduleFactory(
        services=[service], actor=RoleFactory(specialty=[DERMATOLOGY]).practitioner
    ),
}


@pytest.mark.parametrize("made", SPECIALISTS.values(), ids=SPECIALISTS)
def test_a_specialty_is_the_services_or_the_persons(api, service, chen, made):
    schedule = made(service)
    person = getattr(schedule.actor, "practitioner", schedule.actor)
    assert set(who(found(api, specialty=f"{SNOMED}|394582007"))) == {person.reference}


@pytest.mark.parametrize("name", ["visit-type", "specialty", "reason"])
@pytest.mark.parametrize("token", ["office-visit", "|office-visit", f"{SNOMED}|", "", "a b|c"])
def test_a_token_has_both_of_its_parts(api, service, chen, name, token):
    answer = api.get(FIND, window(**{name: token}))
    assert (answer.status_code, codes(answer)) == (400, ["invalid"])
    assert "http://snomed.info/sct|394582007" in texts(answer)
    assert issues_of(answer).pop()[1] == f"Parameters.{name}[0]"


def test_different_kinds_of_actors_are_all_of_them(api, service, chen, napa):
    elsewhere = LocationFactory()
    here, there = chen.actor.reference, ScheduleFactory(services=[service], site=elsewhere).actor.reference
    assert set(who(found(api, practitioner=[here, there]))) == {here, there}
    assert set(who(found(api, practitioner=[here, there], **{"location-reference": napa.reference}))) == {here}
    assert found(api, practitioner=here, **{"location-reference": elsewhere.reference}) == []


def test_a_room_that_is_named_is_the_one(api, napa):
    service = ServiceFactory(requires=["Practitioner", "Location"])
    ScheduleFactory(services=[service], site=napa)
    rooms = [RoomFactory(part_of=napa, name=name) for name in ("One", "Two")]
    for room in rooms:
        ScheduleFactory(services=[service], actor=room, site=napa)
    proposals = found(api, **{"location-reference": rooms[1].reference})
    assert {each["participant"][1]["actor"]["display"] for each in proposals} == {"Two"}


@pytest.mark.parametrize("part", ["Napa", "nápa", "94558", "945", "CA", "vine", "12 Vine Street"])
def test_a_location_is_found_by_any_part_of_its_address(api, service, chen, part):
    ScheduleFactory(services=[service], site=LocationFactory(name="Other", city="Sonoma"))
    assert set(who(found(api, **{"location-string": part}))) == {chen.actor.reference}


@pytest.mark.parametrize(
    "whose",
    [
        lambda acme, service: ScheduleFactory(services=[service], site=LocationFactory(organization=acme)),
        lambda acme, service: ScheduleFactory(services=[service], actor=RoleFactory(organization=acme)),
        lambda acme, service: ScheduleFactory(services=[ServiceFactory(organization=acme)]),
    ],
    ids=["site", "role", "service"],
)
def test_an_organization_is_the_sites_the_roles_or_the_services(api, service, chen, whose):
    acme = OrganizationFactory()
    schedule = whose(acme, service)
    person = getattr(schedule.actor, "practitioner", schedule.actor)
    assert set(who(found(api, organization=acme.reference))) == {person.reference}


def test_references_may_be_absolute(api, service, chen):
    ScheduleFactory(services=[service])
    url = f"http://testserver/fhir/R4/{chen.actor.reference}"
    assert set(who(found(api, practitioner=url))) == {chen.actor.reference}


@pytest.mark.parametrize(
    ("stranger", "text"),
    [
        ("Practitioner/nobody", "Practitioner/nobody is not known here."),
        ("https://elsewhere.example/Practitioner/1", "Practitioner of another server is not known here."),
    ],
)
def test_an_unknown_reference_is_named_in_the_outcome(api, service, chen, stranger, text):
    answer = api.get(FIND, window(practitioner=stranger))
    assert answer.fhir["total"] == 0
    assert text in [each["details"]["text"] for each in outcome(answer)["issue"]]


def test_examples_use_other_names(api, service, chen):
    service.appointment_type = "CHECKUP"
    service.save()
    query = {
        "provider": chen.actor.reference,
        "location": "Napa",
        "service-type": f"{SNOMED}|11429006",
        "appt-type": "http://hl7.org/fhir/v2/0276|CHECKUP",
    }
    answer = api.get(FIND, window(**query))
    assert matches(answer)[0]["appointmentType"]["coding"][0]["code"] == "CHECKUP"
    assert "'provider' was taken for 'practitioner'" in notes(answer)


def test_services_are_found_by_their_type_of_appointment(api, service, chen):
    """A service says its type itself, or by its visit types; else it is routine."""
    urgent = ServiceFactory(name="Urgent", appointment_type="urgent", type=[OFFICE_VISIT])
    follow_up = ServiceFactory(name="Follow-up", type=[{"coding": [{"system": VISIT_TYPE, "code": "follow-up"}]}])
    for each in (urgent, follow_up):
        ScheduleFactory(services=[each])
    for system, code, services in (
        ("http://fhir.org/guides/argonaut-scheduling/CodeSystem/appt-type", "urgent", {urgent.name}),
        ("http://terminology.hl7.org/CodeSystem/v2-0276", "FOLLOWUP", {follow_up.name}),
        ("http://terminology.hl7.org/CodeSystem/v2-0276", "ROUTINE", {service.name}),
        ("http://terminology.hl7.org/CodeSystem/v2-0276", "WALKIN", set()),
    ):
        proposals = found(api, **{"appt-type": f"{system}|{code}"})
        names = [each["serviceType"][0]["extension"][0]["valueReference"]["display"] for each in proposals]
        assert set(names) == services
        codings = [each["appointmentType"]["coding"][0] for each in proposals]
        assert all((coding["system"], coding["code"]) == (system, code) for coding in codings)


def test_a_post_counts_in_its_query_or_its_body(api, service, chen):
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "start", "valueDateTime": instant(monday(0))},
            {"name": "end", "valueDateTime": instant(monday(0, days=1))},
            {"name": "practitioner", "valueUri": [chen.actor.reference]},
        ],
    }
    for path in (f"{FIND}?_count=3", f"{FIND}&_count=3"):
        answer = api.post(path, body)
        assert (answer.fhir["total"], len(matches(answer))) == (8, 3)
    counted = {**body, "parameter": [*body["parameter"], {"name": "_count", "valueInteger": 2}]}
    assert len(matches(api.post(FIND, counted))) == 2


@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_pages_are_the_whole(api, service, chen, napa, count):
    ScheduleFactory(services=[service], site=napa)
    whole = [(each["start"], who([each])) for each in found(api)]
    paged, address, query = [], FIND, window(_count=count)
    while address:
        answer = api.get(address, query)
        assert answer.fhir["total"] == len(whole) == 16
        paged += [(each["start"], who([each])) for each in matches(answer)]
        following = [link["url"] for link in answer.fhir["link"] if link["relation"] == "next"]
        address, query = (following or [""])[0].removeprefix("http://testserver"), None
    assert paged == whole


def test_none_are_wanted_but_their_number(api, service, chen):
    answer = api.get(FIND, window(_count=0))
    assert (answer.fhir["total"], matches(answer)) == (8, [])


def test_without_a_window_it_is_from_now_on_as_far_as_a_search_reaches(api, service, chen):
    answer = api.get(FIND)
    assert answer.fhir["total"] > 100
    assert "31 days" in notes(answer)


def test_a_longer_window_is_cut_and_that_is_said(api, service, chen):
    end = monday(0, days=300)
    answer = api.get(FIND, window(end=instant(end), _count=1000))
    assert "31 days" in notes(answer)
    assert matches(answer)[-1]["end"] <= instant(monday(0) + timedelta(days=31))


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"start": "tomorrow"}, "start"),
        ({"end": "2020-01-01"}, "end"),
        ({"_count": "-1"}, "_count"),
        ({"_page": "x"}, "_page"),
        ({"practitioner": "Dr Y"}, "practitioner[0]"),
        ({"practitioner": "Location/1"}, "practitioner[0]"),
        ({"location-string": " "}, "location-string[0]"),
        ({"appt-type": f"{SNOMED}|1"}, "appt-type"),
        ({"colour": "blue"}, "colour"),
        ({"practitioner": [f"Practitioner/{n}" for n in range(101)]}, "practitioner"),
    ],
)
def test_malformed_is_400_and_says_where(api, service, chen, query, place):
    answer = api.get(FIND, window(**query))
    assert answer.status_code == 400
    assert f"Parameters.{place}" in {at for _, at in issues_of(answer)}


def test_held_and_taken_times_are_left_out(api, service, chen):
    AppointmentFactory(service=service, schedules=[chen], start=monday(10), end=monday(11))
    assert instant(monday(10)) not in starts(found(api))


def test_the_patients_own_visits_are_left_out(api, service, chen, ada):
    AppointmentFactory(patient=ada, start=monday(10), end=monday(11))
    theirs = found(api, **{"patient-reference": ada.reference})
    assert instant(monday(10)) not in starts(theirs)
    assert theirs[0]["participant"][-1]["actor"]["reference"] == ada.reference


def test_another_patient_is_missing(service, chen, ada, bo):
    answer = Api(user=ada.user).get(FIND, window(**{"patient-reference": bo.reference}))
    assert (answer.status_code, codes(answer)) == (404, ["not-found"])


def test_a_group_is_not_supported(api, service, chen, ada, bo):
    answer = api.get(FIND, window(**{"patient-reference": [ada.reference, bo.reference]}))
    assert (answer.status_code, codes(answer)) == (422, ["not-supported"])


def test_only_the_care_team_is_proposed_where_it_must_be(api, chen, ada):
    service = ServiceFactory(requires_care_team=True)
    ScheduleFactory(services=[service])
    okafor = ScheduleFactory(services=[service])
    CareTeamFactory(patient=ada, members=[okafor.actor])
    theirs = found(api, **{"patient-reference": ada.reference})
    assert okafor.actor.reference in set(who(theirs))
    assert set(who(each for each in theirs if each["minutesDuration"] == 30)) == {okafor.actor.reference}


def test_patients_are_proposed_what_they_can_book(service, chen, ada, site):
    closed = ScheduleFactory(services=[ServiceFactory(bookable_by="staff")], site=site)
    patient, desk = Api(user=ada.user), Api(user=UserFactory(desk_locations=[site]))
    assert set(who(found(patient))) == {chen.actor.reference}
    assert set(who(found(desk))) == {closed.actor.reference}


def test_callers_who_may_find(service, chen):
    assert Api().get(FIND, window()).status_code == 401
    assert api_with("system/Patient.rs").get(FIND, window()).status_code == 403


def test_criteria_without_a_service_are_explained(api, service, chen):
    answer = api.get(FIND, window(specialty=f"{SNOMED}|394582007"))
    assert "No service that you can book fits" in notes(answer)


def test_a_constant_number_of_statements(api, service, chen, napa):
    query = window(
        practitioner=chen.actor.reference,
        specialty=f"{SNOMED}|394582007",
        **{"visit-type": f"{SNOMED}|11429006", "location-string": "Napa"},
    )

    def statements(query):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert api.get(FIND, query).status_code == 200
        return len(captured)

    few = statements(window()), statements(query)
    for _ in range(5):
        ScheduleFactory.create_batch(3, services=[service, ServiceFactory(type=[OFFICE_VISIT])], site=napa)
    assert (statements(window()), statements(query)) == few
    assert max(few) <= 9


def test_a_service_with_requirements_is_proposed_with_a_note(api, service, chen):
    service.requires_coverage = True
    service.save()
    anything = api.get(FIND, window())
    assert matches(anything) == []
    assert "Office visit was left out: name its visit-type. Office visit needs active coverage." in notes(anything)
    named = api.get(FIND, window(**{"visit-type": f"{VISIT_TYPE}|office-visit"}))
    assert matches(named)
    assert "Office visit needs active coverage." in notes(named)
