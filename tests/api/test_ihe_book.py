"""https://profiles.ihe.net/ITI/Scheduling: ITI-115, ITI-116 and ITI-117"""

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Patient, Slot
from tests.api.conftest import codes
from tests.api.dialects import issues, matches, notes, offer, outcome, parameters, reference, window
from tests.api.visits import BOOK, FIND, HOLD, issues_of, starts
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday, run_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", duration=60, interval=60)


@pytest.fixture
def chen(service):
    provider = PractitionerFactory(identifier=[{"system": "urn:oid:1.2.3", "value": "PR23143"}])
    return ScheduleFactory(services=[service], actor=provider, site=LocationFactory())


def hold(api, **more):
    return api.post(HOLD, parameters(appointment_reference={"reference": reference(offer(api, **more))}))


def booked(api, ada, hour=10):
    body = parameters(appointment_reference={"reference": reference(offer(api, hour))}, patient_resource=person())
    [appointment] = matches(api.post(BOOK, body))
    return appointment


BYRON = {
    "resourceType": "Patient",
    "name": [{"family": "Byron", "given": ["Anne"]}],
    "gender": "female",
    "birthDate": "1990-01-09",
}


def person():
    return {
        "resourceType": "Patient",
        "name": [{"family": "Newman", "given": ["Nora"]}],
        "gender": "female",
        "birthDate": "1980-05-06",
    }


# $find


def search(api, **values):
    return api.post(FIND, parameters(**window(), **values))


def test_a_practitioner_is_found_by_an_identifier(api, service, chen):
    ScheduleFactory(services=[service])
    logical = {"identifier": {"system": "urn:oid:1.2.3", "value": "PR23143"}, "display": "Dr. Pro Vider"}
    found = matches(search(api, practitioner=logical))
    assert {each["participant"][0]["actor"]["reference"] for each in found} == {chen.actor.reference}
    unknown = {"identifier": {"system": "urn:oid:1.2.3", "value": "PR1"}}
    assert "Practitioner PR1 is not known here." in notes(search(api, practitioner=unknown))


def test_a_role_stands_for_whose_it_is(api, service, chen):
    ScheduleFactory(services=[service])
    role = RoleFactory(practitioner=chen.actor)
    found = matches(search(api, practitioner={"reference": role.reference}))
    assert {each["participant"][0]["actor"]["reference"] for each in found} == {chen.actor.reference}


@pytest.mark.parametrize(
    ("repeat", "hours"),
    [
        ({"timeOfDay": ["10:00:00", "14:00:00"]}, [10, 14]),
        ({"dayOfWeek": ["mon"], "timeOfDay": ["16:00:00"]}, [16]),
        ({"dayOfWeek": ["tue"]}, []),
        ({"when": ["MORN"]}, [9, 10, 11]),
        ({"when": ["MORN.late", "AFT.late"]}, [9, 10, 11, 15, 16]),
        ({"when": ["EVE"]}, []),
        ({"boundsPeriod": {"start": instant(monday(15))}}, [15, 16]),
    ],
)
def test_the_times_that_are_preferred(api, chen, repeat, hours):
    found = matches(search(api, timing={"repeat": repeat}))
    assert starts(found) == [instant(monday(hour)) for hour in hours]


@pytest.mark.parametrize("repeat", [{"when": ["PC"]}, {"frequency": 1, "period": 1, "periodUnit": "d"}])
def test_an_unsupported_timing_is_refused(api, chen, repeat):
    answer = search(api, timing={"repeat": repeat})
    assert (answer.status_code, codes(answer)) == (400, ["not-supported"])


def test_a_referral_goes_with_the_visit(api, chen):
    body = parameters(**window())
    identifier = {"system": "https://example.org/referrals", "value": "7"}
    body["parameter"].append({"name": "referral-identifier", "valueIdentifier": identifier})
    first = matches(api.post(FIND, body))[0]
    assert first["basedOn"] == [{"type": "ServiceRequest", "identifier": identifier}]
    [held] = matches(api.post(HOLD, parameters(appointment_reference={"reference": reference(first)})))
    assert held["basedOn"] == first["basedOn"]


def test_coverage_and_patient_are_optional_at_first(api, chen):
    plan = {"reference": "InsurancePlan/1"}
    answer = search(api, insurance_reference=plan, patient_resource=person())
    assert answer.fhir["total"] == 8
    assert "'insurance-reference' was not needed" in notes(answer)


# $hold and $book


def test_a_hold_is_one_pending_appointment(api, chen):
    answer = hold(api)
    [appointment] = matches(answer)
    assert (answer.status_code, appointment["status"]) == (200, "pending")
    assert instant(monday(10)) not in starts(matches(search(api)))


def test_a_hold_is_booked_and_the_patient_registered(api, chen):
    [appointment] = matches(hold(api))
    body = parameters(
        appointment_reference={"reference": reference(appointment)}, patient_resource=person(), comment="Ring twice"
    )
    [visit] = matches(api.post(BOOK, body))
    assert (visit["status"], visit["comment"]) == ("booked", "Ring twice")
    assert Appointment.objects.get().patient == Patient.objects.get(family="Newman")


def test_a_new_one_is_booked_as_a_resource(api, chen, ada):
    proposed = offer(api)
    proposed["participant"].append({"actor": {"reference": ada.reference}, "status": "accepted"})
    answer = api.post(BOOK, parameters(appointment_resource={**proposed, "status": "pending"}))
    assert (answer.status_code, matches(answer)[0]["status"]) == (201, "booked")


def test_an_appointment_is_named_by_an_identifier(api, chen, ada):
    theirs = [{"system": "https://app.example/visits", "value": "7"}]
    proposed = {**offer(api), "status": "pending", "identifier": theirs}
    [visit] = matches(api.post(BOOK, parameters(appointment_resource=proposed, patient_resource=person())))
    body = parameters(appointment_reference={"identifier": theirs[0]})
    assert matches(api.post(BOOK, body)) == [visit]  # it stays booked
    AppointmentFactory(identifier=theirs)
    assert api.post(BOOK, body).status_code == 412
    body = parameters(appointment_reference={"identifier": {"value": "8"}})
    assert api.post(BOOK, body).status_code == 404
    assert visit["identifier"] == theirs


def by_identifier(person, **more):
    return {"actor": {"identifier": person.identifier[0], **more}, "status": "accepted"}


def test_participants_can_be_named_by_identifier(api, service, chen, ada):
    ScheduleFactory(services=[service])
    ada.identifier = [{"system": "urn:oid:1.2.3.4", "value": "12345"}]
    ada.save()
    appointment = {**offer(api), "status": "pending"}
    appointment["participant"] = [by_identifier(chen.actor), by_identifier(ada, type="Patient")]
    [visit] = matches(api.post(BOOK, parameters(appointment_resource=appointment)))
    actors = {each["actor"]["reference"] for each in visit["participant"]}
    assert {chen.actor.reference, ada.reference} <= actors
    assert Appointment.objects.get().patient == ada


def test_an_unknown_participant_is_refused(api, chen, ada):
    appointment = {**offer(api), "status": "pending"}
    for _ in range(2):
        PatientFactory(identifier=[{"system": "urn:oid:1.2.3.4", "value": "twice"}])
    nobody, several = ({"identifier": {"value": value}} for value in ("nobodys", "twice"))
    for actor in (by_identifier(chen.actor, type="Patient")["actor"], nobody, several):
        appointment["participant"] = [{"actor": actor, "status": "accepted"}]
        answer = api.post(BOOK, parameters(appointment_resource=appointment))
        assert (answer.status_code, issues_of(answer).pop()[1]) == (
            404,
            "Parameters.appointment-resource.participant[0].actor",
        )


def test_the_patients_of_a_group_are_registered_first(api, chen):
    body = parameters(appointment_reference={"reference": reference(offer(api))}, patient_resource=[person(), person()])
    answer = api.post(BOOK, body)
    assert (issues(answer), Patient.objects.count()) == ([("fatal", "not-found")], 0)
    assert "Register the patients of a group first" in notes(answer)


@pytest.mark.parametrize("path", [HOLD, BOOK])
def test_a_refusal_is_an_outcome_and_nothing_else(api, chen, path):
    proposed = offer(api)
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    answer = api.post(path, parameters(appointment_reference={"reference": reference(proposed)}))
    assert (answer.status_code, answer.fhir["total"], matches(answer)) == (200, 0, [])
    assert issues(answer) == [("fatal", "not-found")]


def test_a_hold_that_has_expired_is_not_found(api, chen):
    [appointment] = matches(hold(api))
    run_out(Appointment.objects.get())
    answer = api.post(BOOK, parameters(appointment_reference={"reference": reference(appointment)}))
    assert (matches(answer), issues(answer)) == ([], [("fatal", "not-found")])


# Changed


def test_a_visit_is_moved(api, chen, ada):
    visit = booked(api, ada)
    moved = {**visit, "start": instant(monday(14)), "end": instant(monday(15)), "comment": "Later"}
    answer = api.post(BOOK, parameters(appointment_resource=moved))
    [now] = matches(answer)
    assert (answer.status_code, now["id"], now["status"], now["start"]) == (
        200,
        visit["id"],
        "booked",
        instant(monday(14)),
    )
    assert now["comment"] == "Later"
    assert now["participant"] == visit["participant"]
    assert [slot.start for slot in Slot.objects.filter(deleted_at=None)] == [monday(14)]


def test_a_visit_keeps_its_own_length_when_it_is_moved(api, chen, ada):
    visit = booked(api, ada)
    Appointment.objects.filter(fhir_id=visit["id"]).update(end=monday(11, 30))
    Slot.objects.filter(deleted_at=None).update(end=monday(11, 30))
    moved = {**visit, "start": instant(monday(14)), "end": instant(monday(15, 30))}
    [now] = matches(api.post(BOOK, parameters(appointment_resource=moved)))
    assert (now["id"], now["start"], now["end"]) == (visit["id"], instant(monday(14)), instant(monday(15, 30)))
    shorter = {**now, "start": instant(monday(13)), "end": instant(monday(14))}
    assert api.post(BOOK, parameters(appointment_resource=shorter)).status_code == 400


def test_a_visit_is_moved_to_another_practitioner_and_place(api, service, chen, ada):
    visit = booked(api, ada)
    okafor = ScheduleFactory(services=[service], site=LocationFactory())
    patient = visit["participant"][-1]
    people = [{"actor": {"reference": each.reference}, "status": "accepted"} for each in (okafor.actor, okafor.site)]
    [now] = matches(api.post(BOOK, {**visit, "participant": [*people, patient]}))
    actors = {each["actor"]["reference"] for each in now["participant"]}
    assert actors == {okafor.actor.reference, okafor.site.reference, patient["actor"]["reference"]}
    assert Slot.objects.get(deleted_at=None).schedule == okafor


def test_a_taken_time_leaves_it_where_it_is(api, chen, ada):
    visit = booked(api, ada)
    SlotFactory(schedule=chen, start=monday(14), end=monday(15))
    moved = {**visit, "start": instant(monday(14)), "end": instant(monday(15))}
    answer = api.post(BOOK, parameters(appointment_resource=moved))
    assert issues(answer) == [("fatal", "not-found")]
    assert Appointment.objects.get().start == monday(10)


def test_only_its_remarks_are_changed(api, chen, ada):
    visit = booked(api, ada)
    [now] = matches(api.post(BOOK, {**visit, "comment": "By bicycle", "reasonCode": [{"text": "Rash"}]}))
    assert (now["comment"], now["reasonCode"], now["slot"]) == ("By bicycle", [{"text": "Rash"}], visit["slot"])


def test_a_change_by_another_client_is_not_overwritten(api, chen, ada):
    visit = booked(api, ada)
    api.post(BOOK, {**visit, "comment": "First"})
    answer = api.post(BOOK, {**visit, "comment": "Second"}, if_match=f'W/"{visit["meta"]["versionId"]}"')
    assert (answer.status_code, Appointment.objects.get().comment) == (412, "First")


def test_another_patient_is_another_visit(api, chen, ada, bo):
    visit = booked(api, ada)
    others = {**visit, "participant": [*visit["participant"][:-1], {"actor": {"reference": bo.reference}}]}
    others["participant"][-1]["status"] = "accepted"
    for body in (
        parameters(appointment_resource=others),
        parameters(appointment_resource=visit, patient_resource=BYRON),
    ):
        answer = api.post(BOOK, body)
        assert (matches(answer), issues(answer)) == ([], [("fatal", "not-found")])
        assert "This visit is for another patient" in notes(answer)
    assert Appointment.objects.get().version == 1


def test_the_patient_may_be_repeated(api, chen, ada):
    visit = booked(api, ada)
    body = parameters(appointment_resource={**visit, "comment": "Later"}, patient_resource=person())
    assert matches(api.post(BOOK, body))[0]["comment"] == "Later"


def test_another_service_is_another_visit(api, chen, ada):
    visit = booked(api, ada)
    other = {"coding": [{"system": "http://snomed.info/sct", "code": "310127009"}]}
    answer = api.post(BOOK, {**visit, "serviceType": [other]})
    assert (matches(answer), issues(answer)) == ([], [("fatal", "not-found")])
    assert "This visit is for another service" in notes(answer)


def test_a_cancelled_visit_is_not_booked_by_an_update(api, chen, ada):
    visit = booked(api, ada)
    api.post(BOOK, {**visit, "status": "cancelled"})
    answer = api.post(BOOK, visit)
    assert (matches(answer), issues(answer)) == ([], [("fatal", "not-found")])


def test_a_move_that_is_refused_names_the_nearest_times(api, chen, ada):
    visit = booked(api, ada)
    answer = api.post(BOOK, {**visit, "start": instant(monday(6)), "end": instant(monday(7))})
    [issue] = outcome(answer)["issue"]
    assert issue["expression"] == ["Parameters.appointment-resource"]
    assert instant(monday(9)) in issue["diagnostics"]


def test_unchanged_elements_stay_the_same(api, chen, ada):
    visit = booked(api, ada)
    assert matches(api.post(BOOK, visit)) == [visit]


def test_a_visit_is_cancelled_and_a_hold_let_go(api, chen, ada):
    visit = booked(api, ada)
    [appointment] = matches(hold(api, hour=14))
    reason = {"text": "I am well again"}
    [cancelled] = matches(api.post(BOOK, {**visit, "status": "cancelled", "cancelationReason": reason}))
    [released] = matches(api.post(BOOK, parameters(appointment_resource={**appointment, "status": "cancelled"})))
    assert (cancelled["status"], cancelled["cancelationReason"]) == ("cancelled", reason)
    assert cancelled["participant"][-1]["status"] == "declined"
    assert (released["status"], {each["status"] for each in released["participant"]}) == ("cancelled", {"tentative"})
    assert not Slot.objects.filter(deleted_at=None).exists()
    again = api.post(BOOK, {**visit, "status": "cancelled"})
    assert matches(again)[0]["meta"]["versionId"] == cancelled["meta"]["versionId"]


def test_the_reason_may_be_the_guides_extension(api, chen, ada):
    visit = booked(api, ada)
    guide = "https://profiles.ihe.net/ITI/Scheduling"
    coding = {"system": f"{guide}/CodeSystem/status-reason", "code": "weather"}
    reason = {
        "url": f"{guide}/StructureDefinition/extension-status-reason",
        "valueCodeableConcept": {"coding": [coding]},
    }
    [cancelled] = matches(api.post(BOOK, {**visit, "status": "cancelled", "extension": [reason]}))
    assert [each["code"] for each in cancelled["cancelationReason"]["coding"]] == ["oth-weath", "weather"]
    assert coding in cancelled["extension"][0]["valueCodeableConcept"]["coding"]


@pytest.mark.parametrize("status", ["booked", "cancelled"])
def test_only_what_is_there_is_changed(api, chen, ada, status):
    visit = {**booked(api, ada), "id": "nobodys", "status": status}
    assert api.post(BOOK, visit).status_code == 404


def test_a_visit_that_is_over_cannot_be_changed(api, chen, ada):
    over = AppointmentFactory(patient=ada, status="fulfilled", start=monday(10), schedules=[chen])
    visit = api.get(over.reference).fhir
    answer = api.post(BOOK, {**visit, "status": "cancelled"})
    assert issues(answer) == [("fatal", "not-found")]
