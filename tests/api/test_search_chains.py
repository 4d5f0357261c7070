"""Searches by resources that are referred to, or that refer: https://hl7.org/fhir/R4/search.html#chaining and #has"""

from datetime import timedelta

import pytest

from api.search import parameters_of
from api.search.parameters import TABLE
from api.search.references import Reference
from tests.api.conftest import Api, api_with, ids
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    CareTeamFactory,
    CoverageFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
    concept,
)

MRN, NPI = "urn:oid:1.2.3.4.5", "http://hl7.org/fhir/sid/us-npi"


@pytest.fixture
def visits(db):
    """Ada sees Dr Chen on Monday, Bo sees Dr Ortiz in another town a day later."""
    riverside = OrganizationFactory(fhir_id="riverside", name="Riverside")
    main = LocationFactory(fhir_id="main", name="Main Street", organization=riverside, city="Boston")
    room = RoomFactory(fhir_id="room-1", part_of=main)
    ada = PatientFactory(fhir_id="ada", family="Quinn", identifier=[{"system": MRN, "value": "12345"}])
    bo = PatientFactory(fhir_id="bo", family="Lind", gender="male", identifier=[{"system": MRN, "value": "6"}])
    chen = PractitionerFactory(
        fhir_id="dr-chen",
        family="Chen",
        gender="female",
        communication=[concept("es", "Spanish", "urn:ietf:bcp:47")],
        identifier=[{"system": NPI, "value": "1"}],
        extra={"qualification": [{"code": concept("MD", "Doctor of Medicine")}]},
    )
    ortiz = PractitionerFactory(fhir_id="dr-ortiz", family="Ortiz", gender="male")
    role = RoleFactory(fhir_id="role-ortiz", practitioner=ortiz, locations=[LocationFactory(fhir_id="far")])
    checkup = ServiceFactory(fhir_id="checkup")
    of_chen = ScheduleFactory(fhir_id="of-chen", actor=chen, site=main, services=[checkup])
    of_ortiz = ScheduleFactory(fhir_id="of-ortiz", actor=role)
    of_room = ScheduleFactory(fhir_id="of-room", actor=room, offers_all_services=True, services=[])
    AppointmentFactory(fhir_id="of-ada", patient=ada, service=checkup, schedules=[of_chen, of_room])
    AppointmentFactory(fhir_id="of-bo", patient=bo, schedules=[of_ortiz], start=MONDAY_9 + timedelta(days=1))
    CareTeamFactory(fhir_id="team", patient=ada, members=[chen, role], name="Team A")
    CoverageFactory(fhir_id="cover", beneficiary=ada, payor=[{"reference": riverside.reference}])
    form = QuestionnaireFactory(fhir_id="form", url="http://forms.example/pain", title="Pain")
    QuestionnaireResponseFactory(fhir_id="answers", patient=ada, questionnaire=form)


CHAINS = {
    "Appointment?patient.identifier=urn:oid:1.2.3.4.5|12345": ["of-ada"],
    "Appointment?patient.identifier=urn:oid:1.2.3.4.5|12345&date=gt20260104": None,
    "Appointment?patient.identifier=urn:oid:1.2.3.4.5|12345&date=gt2026-01-04"
    "&practitioner.identifier=http://hl7.org/fhir/sid/us-npi|1": ["of-ada"],
    "Appointment?patient.identifier=urn:oid:9.9.9|12345": [],
    "Appointment?patient:Patient.family=lind": ["of-bo"],
    "Appointment?patient.family=quinn,lind": ["of-ada", "of-bo"],
    "Appointment?patient.family:exact=quinn": [],
    "Appointment?actor:Practitioner.name=chen": ["of-ada"],
    "Appointment?actor.name=chen": ["of-ada"],
    "Appointment?actor:PractitionerRole.practitioner.family=ortiz": ["of-bo"],
    "Appointment?location.partof.name=main": ["of-ada"],
    "Appointment?slot.schedule.actor=dr-chen": ["of-ada"],
    "Slot?schedule.actor=Practitioner/dr-chen&status=busy": 1,
    "Slot?status=busy&schedule.actor:PractitionerRole.location=far": 1,
    "Slot?status=busy&schedule.actor:Practitioner.gender=female": 1,
    "Schedule?actor:Practitioner.gender=female": ["of-chen"],
    "Schedule?actor:Practitioner.communication=es": ["of-chen"],
    "Schedule?actor:Practitioner.qualification-code=MD": ["of-chen"],
    "Schedule?actor:PractitionerRole.location=far": ["of-ortiz"],
    "Schedule?actor:PractitionerRole.practitioner.gender=male": ["of-ortiz"],
    "Schedule?actor:Location.partof=main": ["of-room"],
    "Schedule?practitioner=dr-ortiz": ["of-ortiz"],
    "Schedule?practitioner.gender=male,female": ["of-chen", "of-ortiz"],
    "Schedule?location=main": ["of-chen"],
    "Schedule?location.address-city=boston": ["of-chen"],
    "Schedule?service=HealthcareService/checkup": ["of-chen", "of-room"],
    "Schedule?care-team=CareTeam/team": ["of-chen", "of-ortiz"],
    "Schedule?care-team=team,other": ["of-chen", "of-ortiz"],
    "Schedule?care-team=other": [],
    "Schedule?care-team:CareTeam=team": ["of-chen", "of-ortiz"],
    "Schedule?care-team:CareTeam.patient=ada": ["of-chen", "of-ortiz"],
    "Schedule?care-team.patient=ada": ["of-chen", "of-ortiz"],
    "Coverage?payor:Organization.name=river": ["cover"],
    "Coverage?beneficiary.family=lind": [],
    "CareTeam?participant:Practitioner.family=chen": ["team"],
    "QuestionnaireResponse?questionnaire.title=pain": ["answers"],
    "QuestionnaireResponse?questionnaire=http://forms.example/pain|1": ["answers"],
    "QuestionnaireResponse?questionnaire=Questionnaire/form": ["answers"],
    "Patient?_has:Appointment:patient:status=booked": ["ada", "bo"],
    "Patient?_has:Appointment:patient:date=2026-01-05": ["ada"],
    "Patient?_has:Appointment:patient:practitioner=dr-chen": ["ada"],
    "Patient?_has:Appointment:patient:practitioner.family=chen": ["ada"],
    "Patient?_has:Coverage:beneficiary:_id=cover": ["ada"],
    "Practitioner?_has:CareTeam:participant:patient=ada": ["dr-chen"],
    "Practitioner?_has:PractitionerRole:practitioner:_has:Appointment:actor:date=2026-01-06": ["dr-ortiz"],
    "Practitioner?_has:Schedule:actor:service=checkup": ["dr-chen"],
    "Location?_has:PractitionerRole:location:_id=role-ortiz": ["far"],
    "HealthcareService?_has:Schedule:service:_id=of-chen": ["checkup"],
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:patient=ada": ["form"],
    "Slot?_has:Appointment:slot:_id=of-bo": 1,
    "Schedule?actor:Practitioner._has:CareTeam:participant:_id=team": ["of-chen"],
}


@pytest.mark.parametrize("query", CHAINS)
def test_chains(api, visits, query):
    found, response = CHAINS[query], api.get(query)
    if found is None:
        assert response.status_code == 400
    elif isinstance(found, int):
        assert len(ids(response)) == response.fhir["total"] == found
    else:
        assert ids(response) == found


REFERENCES = [
    (kind, name, parameter)
    for kind in TABLE
    for name, parameter in parameters_of(kind).items()
    if isinstance(parameter, Reference)
]


@pytest.mark.parametrize("kind", {kind: None for kind, *_ in REFERENCES})
def test_every_reference_can_be_chained_and_followed_back(api, kind):
    for name, parameter in [(name, each) for of, name, each in REFERENCES if of == kind]:
        for target in set(parameter.types) & set(TABLE):
            assert api.get(f"{kind}?{name}:{target}._id=x").fhir["total"] == 0
            if parameter.can_be_reversed:
                assert api.get(f"{target}?_has:{kind}:{name}:_id=x").fhir["total"] == 0


def test_a_chain_ends_somewhere(api):
    assert api.get("Location?partof.partof.partof.partof.name=x").status_code == 200
    assert api.get("Location?partof.partof.partof.partof.partof.name=x").status_code == 400


def test_references_at_our_own_address_are_chained_too(api):
    ada = PatientFactory(family="Quinn")
    actor = {"reference": f"http://testserver/fhir/R4/{ada.reference}/_history/1"}
    CareTeamFactory(
        fhir_id="team", participant=[{"member": {"reference": f"http://testserver/fhir/R4/{ada.reference}"}}]
    )
    CoverageFactory(fhir_id="cover", payor=[actor])
    assert ids(api.get("CareTeam?participant:Patient.family=quinn")) == ["team"]
    assert ids(api.get("Coverage?payor:Patient.family=quinn")) == ["cover"]
    assert ids(api.get("Patient?_has:CareTeam:participant:_id=team")) == [ada.fhir_id]


def test_a_name_where_an_id_is_meant_finds_nothing(api, visits):
    assert api.get("Appointment", {"practitioner": "Dr Y"}).fhir["total"] == 0
    assert api.get("Appointment", {"status": "free"}).fhir["total"] == 0


@pytest.mark.parametrize("many", [1, 10])
def test_a_chain_costs_no_statement_for_each_row(api, many, django_assert_num_queries):
    for _ in range(many):
        AppointmentFactory(patient=PatientFactory(family="Quinn"), schedules=[ScheduleFactory()])
    with django_assert_num_queries(5):  # token, total, page, slots, disclosures
        assert len(ids(api.get("Appointment?patient.family=quinn&actor:Practitioner.gender:missing=true"))) == many
    with django_assert_num_queries(4):  # token, total, page, disclosures
        assert len(ids(api.get("Patient?_has:Appointment:patient:status=booked"))) == many


HIDDEN = [
    "Appointment?patient.family=Lind",
    "Appointment?patient:Patient.identifier=urn:oid:1|bo",
    "Appointment?actor:Patient.family=Lind",
    "Slot?_has:Appointment:slot:patient=bo",
    "Schedule?_has:Slot:schedule:status=busy-tentative",
    "Practitioner?_has:Appointment:practitioner:patient=bo",
    "Practitioner?_has:Appointment:practitioner:patient.family=lind",
    "Practitioner?_has:CareTeam:participant:status=active",
    "Practitioner?_has:CareTeam:participant:_id=of-bo",
    "Schedule?care-team=of-bo",
    "Schedule?care-team=CareTeam/of-bo",
    "Schedule?care-team.patient=bo",
    "Schedule?actor:Practitioner._has:CareTeam:participant:_id=of-bo",
    "Schedule?_has:Slot:schedule:_has:Appointment:slot:patient=bo",
    "Organization?_has:Coverage:payor:beneficiary=bo",
    "Location?_has:Appointment:location:patient=bo",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:patient=bo",
    "Patient?_has:RelatedPerson:patient:name=carer",
    "Patient?_has:Appointment:patient:status=booked",
    "Appointment?_has:QuestionnaireResponse:appointment:status=completed",
]


@pytest.mark.parametrize("query", HIDDEN)
def test_nothing_hidden_is_found_by_what_hangs_on_it(db, ada, query):
    """Searches that find another patient's rows for software with all rights, and nothing for Ada."""
    bo = PatientFactory(fhir_id="bo", family="Lind", identifier=[{"system": "urn:oid:1", "value": "bo"}])
    room, group = RoomFactory(), OrganizationFactory()
    schedules = [ScheduleFactory(), ScheduleFactory(actor=room)]
    visit = AppointmentFactory(patient=bo, schedules=schedules)
    visit.slots.update(status="busy-tentative")
    CareTeamFactory(fhir_id="of-bo", patient=bo, members=[schedules[0].actor])
    CoverageFactory(beneficiary=bo, payor=[{"reference": group.reference}])
    RelatedPersonFactory(patient=bo, family="Carer")
    QuestionnaireResponseFactory(patient=bo, appointment=visit)
    assert api_with().get(query).fhir["total"] > 0
    answer = Api(user=ada.user).get(query)
    assert answer.status_code == 200
    assert (answer.fhir["total"], "entry" in answer.fhir) == (0, False)


def test_chains_stay_within_the_scopes(visits):
    api = api_with("system/Appointment.rs system/Practitioner.rs")
    assert ids(api.get("Appointment?patient.family=quinn")) == []
    assert ids(api.get("Appointment?practitioner.family=chen")) == ["of-ada"]
    assert ids(api.get("Practitioner?_has:CareTeam:participant:_id=team")) == []


def test_a_carer_finds_by_chains_what_is_the_patients_they_care_for(ada, bo):
    carer = UserFactory()
    RelatedPersonFactory(patient=ada, user=carer)
    AppointmentFactory(fhir_id="of-ada", patient=ada)
    AppointmentFactory(fhir_id="of-bo", patient=bo)
    assert ids(Api(user=carer).get("Appointment?patient.family=quinn,lind")) == ["of-ada"]
