"""Patient/[id]/$everything: https://hl7.org/fhir/R4/patient-operation-everything.html"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import AuditEvent, Patient
from tests.api.access.world import World
from tests.api.conftest import api_with, codes, links, texts
from tests.factories import AppointmentFactory, CoverageFactory, PatientFactory
from tests.scheduling.situations import monday

ADA = "Patient/ada/$everything"


def references(response, mode="match"):
    assert response.status_code == 200, response.fhir
    entries = [each for each in response.fhir.get("entry", []) if each["search"]["mode"] == mode]
    return [f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in entries]


def visits(response):
    return [each for each in references(response) if each.startswith("Appointment/")]


def kinds(response, mode="match"):
    return sorted({each.partition("/")[0] for each in references(response, mode)})


@pytest.fixture
def world(db):
    return World()


def test_everything_is_the_compartment_and_what_it_refers_to(api, world):
    response = api.get(ADA)
    own = {row.reference for (_, whose), row in world.rows.items() if whose.startswith("Ada's")}
    own -= {world.rows["AuditEvent", "Ada's"].reference}
    own |= {slot.reference for slot in world.rows["Appointment", "Ada's, over"].slots.all()}
    assert set(references(response)) == own
    assert response.fhir["total"] == len(own) == len(references(response))
    referred = references(response, "include")
    assert {world.chen.reference, world.calendars["Ada's"].reference} <= set(referred)
    assert len(referred) == len(set(referred))
    assert not {"Patient/leo", "Patient/bo"} & {*references(response), *referred}


def test_a_visit_with_others_is_there_and_tells_nothing_else_of_them(api, world):
    both = [{"actor": {"reference": each.reference}, "status": "accepted"} for each in (world.bo, world.ada)]
    visit = AppointmentFactory(patient=world.bo, service=world.service, start=monday(15), participant=both)
    response = api.get(ADA)
    assert visit.reference in references(response)
    assert not {"Patient", "Coverage"} & set(kinds(response, "include"))
    assert "Patient/bo" not in references(response)


def test_parameters_may_be_posted(api, world):
    asked = [{"name": "_type", "valueCode": "Coverage"}, {"name": "_count", "valueInteger": 5}]
    response = api.post(ADA, {"resourceType": "Parameters", "parameter": asked})
    assert kinds(response) == ["Coverage"]


def test_types_limit_what_is_found_and_what_is_included(api, world):
    response = api.get(ADA, {"_type": "Appointment,Practitioner"})
    assert (kinds(response), kinds(response, "include")) == (["Appointment"], ["Practitioner"])
    assert kinds(api.get(ADA, {"_type": "Patient"})) == ["Patient"]


def test_the_days_of_care_leave_out_other_visits_and_keep_what_has_no_date(api, world):
    day, before, later = ((monday(9) + timedelta(days=days)).date().isoformat() for days in (0, -7, 400))
    coming, over = world.rows["Appointment", "Ada's"].reference, world.rows["Appointment", "Ada's, over"].reference
    assert visits(api.get(ADA, {"start": day})) == [coming]
    assert visits(api.get(ADA, {"end": before})) == [over]
    assert visits(api.get(ADA, {"end": later})) == [coming, over]
    assert kinds(api.get(ADA, {"start": later})) == [
        "CareTeam",
        "Coverage",
        "Encounter",
        "Patient",
        "RelatedPerson",
        "Schedule",
        "ServiceRequest",
    ]


def test_since_finds_only_what_was_written_from_then_on(api, world):
    since = timezone.now() + timedelta(hours=1)
    Patient.objects.filter(pk=world.ada.pk).update(last_updated=since + timedelta(seconds=5))
    assert references(api.get(ADA, {"_since": instant(since)})) == ["Patient/ada"]


def test_pages_have_each_resource_once(api, world):
    path, found, pages = f"{ADA}?_count=3", [], 0
    while path:
        response = api.get(path)
        found += references(response)
        pages += 1
        assert len(references(response)) <= 3
        path = links(response).get("next")
    assert (len(found), pages) == (len(set(found)), -(-len(found) // 3))
    assert sorted(found) == sorted(references(api.get(ADA)))


def test_a_page_is_of_its_patient(api, world):
    page = links(api.get(f"{ADA}?_count=1"))["next"]
    assert api.get(page.replace("Patient/ada", "Patient/leo")).status_code == 400


def test_the_number_of_statements_does_not_depend_on_the_number_of_resources(api, world):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            api.get(ADA)
        return len(captured)

    before = statements()
    for hour in range(3):
        CoverageFactory(beneficiary=world.ada)
        calendar = world.calendars["Ada's"]
        AppointmentFactory(
            patient=world.ada, service=world.service, site=world.main, schedules=[calendar], start=monday(13 + hour)
        )
    assert statements() == before


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("colour=red", "invalid"),
        ("_type=Colour", "not-supported"),
        ("_type=Location", "not-supported"),
        ("_count=0", "invalid"),
        ("_count=many", "invalid"),
        ("start=yesterday", "invalid"),
        ("_since=yesterday", "invalid"),
        ("_cursor=x", "invalid"),
    ],
)
def test_invalid_parameters_are_refused(api, world, query, code):
    response = api.get(f"{ADA}?{query}")
    assert (response.status_code, codes(response)) == (400, [code])


def test_a_missing_patient_is_404(api, world):
    assert api.get("Patient/nobody/$everything").status_code == 404
    Patient.objects.filter(pk=world.ada.pk).update(deleted_at=timezone.now())
    assert api.get(ADA).status_code == 404


def test_a_merged_record_names_the_surviving_one(api, world):
    merged = PatientFactory(
        fhir_id="old", extra={"link": [{"type": "replaced-by", "other": {"reference": "Patient/ada"}}]}
    )
    response = api.get(f"{merged.reference}/$everything")
    assert response.status_code == 400
    assert "Patient/ada" in texts(response)


def test_a_token_finds_only_the_types_that_it_may_search(world):
    app = api_with("system/Patient.rs system/Appointment.rs")
    response = app.get(ADA)
    assert (kinds(response), kinds(response, "include")) == (["Appointment", "Patient"], [])
    refused = app.get(f"{ADA}?_type=Coverage")
    assert (refused.status_code, codes(refused)) == (403, ["forbidden"])
    assert api_with("system/Appointment.rs").get(ADA).status_code == 403


def test_it_is_written_down_once(api, world):
    api.get(ADA)
    line = AuditEvent.objects.get(subtype="search", patient=world.ada)
    assert line.query.startswith(ADA)
