"""$reschedule with another service: the visit changes its kind while it is moved."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.fhir import codes as names
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, AuditEvent, Communication, HealthcareService
from portal.staff.visits.moves import moves_of
from scheduling.notifications import letters
from tests.api.conftest import Api, codes, texts
from tests.api.visits import BOOK, HOLD, found, issues_of, proposal, slots, starts, visit
from tests.factories import CoverageFactory, PatientFactory, RoomFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import NEW_YORK, monday

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient():
    return PatientFactory(
        given="Ada", family="Quinn", user=UserFactory(email="ada@example.com"), email="ada@example.com"
    )


@pytest.fixture
def checkup():
    return ServiceFactory(name="Check-up")


@pytest.fixture
def surgery():
    """An hour, in a room of its own."""
    return ServiceFactory(name="Small surgery", duration=60, buffer_after=15)


@pytest.fixture
def chen(checkup, surgery):
    return ScheduleFactory(services=[checkup, surgery])


@pytest.fixture
def booked(api, checkup, chen, patient):
    return visit(api.post(BOOK, {**proposal(api, checkup, chen, patient=patient), "comment": "Third floor"}))


def become(api, appointment, service, at, *schedules):
    parameters = [
        {"name": "start", "valueDateTime": instant(at)},
        {"name": "service-type-reference", "valueReference": {"reference": service.reference}},
        *({"name": "schedule", "valueReference": {"reference": each.reference}} for each in schedules),
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    return api.post(f"Appointment/{appointment['id']}/$reschedule", body)


def services_of(resource):
    return {
        extension["valueReference"]["reference"]
        for concept in resource["serviceType"]
        for extension in concept["extension"]
        if extension["url"] == names.SERVICE_TYPE_REFERENCE
    }


def test_it_has_the_length_and_the_buffers_of_the_new_service(api, booked, checkup, surgery, chen):
    answer = become(api, booked, surgery, monday(14), chen)
    moved = visit(answer)
    assert (answer.status_code, moved["id"], moved["status"]) == (200, booked["id"], "booked")
    assert (moved["start"], moved["end"]) == (instant(monday(14)), instant(monday(15)))
    assert services_of(moved) == {surgery.reference}
    assert (moved["comment"], moved["participant"]) == ("Third floor", booked["participant"])
    assert [each["status"] for each in slots(answer)] == ["busy", "busy-unavailable"]
    assert instant(monday(10)) in starts(found(api, checkup, chen))
    assert AuditEvent.objects.exclude(subtype="read").latest("pk").subtype == "reschedule"


def test_at_the_same_time_only_the_kind_changes(api, booked, surgery, chen):
    moved = visit(become(api, booked, surgery, monday(10), chen))
    assert (moved["start"], moved["end"]) == (booked["start"], instant(monday(11)))


def test_the_same_service_may_be_named(api, booked, checkup, chen):
    moved = visit(become(api, booked, checkup, monday(14), chen))
    assert (moved["end"], services_of(moved)) == (instant(monday(14, 30)), {checkup.reference})


def test_a_hold_changes_its_kind_too(api, checkup, surgery, chen, patient):
    held = visit(api.post(HOLD, proposal(api, checkup, chen, patient=patient)))
    answer = become(api, held, surgery, monday(14), chen)
    assert (visit(answer)["status"], services_of(visit(answer))) == ("pending", {surgery.reference})
    assert visit(api.post(f"Appointment/{held['id']}/$confirm"))["status"] == "booked"


def test_the_message_and_the_history_say_what_it_was(api, booked, checkup, surgery, chen):
    become(api, booked, surgery, monday(14), chen)
    message = Communication.objects.get(event="change", medium="email")
    letter = letters.compose(message, NEW_YORK, now=timezone.now())
    before = next(line for line in letter.text.splitlines() if "Check-up" in line)
    assert before.startswith("Before: Check-up, ")
    assert "Small surgery" in letter.text
    [move] = moves_of(Appointment.objects.get(fhir_id=booked["id"]), NEW_YORK).values()
    assert move.before.startswith("Check-up, ")
    assert move.after.startswith("Small surgery, ")


def test_a_name_that_is_kept_out_of_emails_stays_out(api, booked, checkup, surgery, chen):
    HealthcareService.objects.filter(pk=checkup.pk).update(named_in_email=False)
    become(api, booked, surgery, monday(14), chen)
    letter = letters.compose(Communication.objects.get(event="change", medium="email"), NEW_YORK, now=timezone.now())
    assert "Check-up" not in letter.text


# The rules of the new service, and the cut-off of the old one


def test_the_new_service_takes_all_that_it_requires(api, booked, surgery, chen):
    HealthcareService.objects.filter(pk=surgery.pk).update(requires=["Practitioner", "Location"])
    answer = become(api, booked, surgery, monday(14), chen)
    assert (answer.status_code, codes(answer)) == (422, ["business-rule"])
    room = ScheduleFactory(services=[surgery], actor=RoomFactory())
    moved = visit(become(api, booked, surgery, monday(14), chen, room))
    assert {each["actor"]["reference"] for each in moved["participant"]} >= {room.actor.reference}


def test_the_requirements_of_the_new_service_are_checked(api, booked, surgery, chen, patient):
    HealthcareService.objects.filter(pk=surgery.pk).update(requires_coverage=True)
    answer = become(api, booked, surgery, monday(14), chen)
    assert answer.status_code == 422
    assert "Small surgery needs coverage" in texts(answer)
    assert api.get(f"Appointment/{booked['id']}").fhir == booked
    CoverageFactory(beneficiary=patient)
    assert become(api, booked, surgery, monday(14), chen).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"bookable_by": "staff"}, 403, "is booked by the clinic"),
        ({"on_request": True}, 422, "The clinic has to agree to this kind of visit."),
        ({"active": False}, 422, "HealthcareService is inactive"),
        ({"minimum_notice": timedelta(days=60)}, 422, "It is too soon"),
        ({"total_day_limit": 1, "patient_limit": 1}, None, ""),
    ],
    ids=["of the staff", "on request", "inactive", "more notice", "limits that do not count the visit itself"],
)
def test_a_patient_is_bound_by_its_rules(booked, surgery, chen, patient, fields, status, text):
    HealthcareService.objects.filter(pk=surgery.pk).update(**fields)
    answer = become(Api(user=patient.user), booked, surgery, monday(14), chen)
    assert answer.status_code == (status or 200)
    assert status is None or text in texts(answer)


def test_the_notice_of_the_old_service_binds(booked, checkup, surgery, chen, patient):
    HealthcareService.objects.filter(pk=checkup.pk).update(cancellation_notice=timedelta(days=60))
    answer = become(Api(user=patient.user), booked, surgery, monday(14), chen)
    assert (answer.status_code, codes(answer)) == (422, ["business-rule"])


def test_a_schedule_that_does_not_give_it_and_a_service_that_is_unknown(api, booked, surgery):
    unrelated = ScheduleFactory()
    answer = become(api, booked, surgery, monday(14), unrelated)
    text = "Schedule is not schedulable for requested service type"
    assert (answer.status_code, issues_of(answer)) == (400, {(text, "Parameters.schedule[0]")})
    HealthcareService.objects.filter(pk=surgery.pk).delete()
    surgery.fhir_id = "nothing"
    answer = become(api, booked, surgery, monday(14), unrelated)
    expected = {("HealthcareService not found", "Parameters.service-type-reference")}
    assert (answer.status_code, issues_of(answer)) == (404, expected)


def test_a_refused_change_keeps_the_old_visit(api, booked, surgery, chen):
    answer = become(api, booked, surgery, monday(16, 30), chen)  # it would end after five
    assert answer.status_code == 422
    assert api.get(f"Appointment/{booked['id']}").fhir == booked
