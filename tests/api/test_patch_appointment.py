"""Argonaut's cancellation: a patch of `Appointment.status`. See also https://hl7.org/fhir/R4/appointment.html"""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.fhir.status_reasons import ARGONAUT, IHE
from clinic.models import AuditEvent, Communication, Slot
from tests.api.conftest import Api, codes, texts
from tests.api.visits import HOLD, proposal, visit
from tests.factories import AppointmentFactory, ScheduleFactory, UserFactory
from tests.scheduling.situations import monday

CANCEL = {"op": "replace", "path": "/status", "value": "cancelled"}
EXTENSION = f"{ARGONAUT}/StructureDefinition/extension-status-reason"
R4_REASON = {"coding": [{"system": CANCELLATION_REASON, "code": "pat-lt"}]}
GUIDES_REASON = {"coding": [{"system": f"{ARGONAUT}/CodeSystem/status-reason", "code": "transportation"}]}


def booked(at=None, **fields):
    at = at or monday(10)
    return AppointmentFactory(schedules=[ScheduleFactory()], start=at, end=at + timedelta(minutes=30), **fields)


def step(status):
    return [{"op": "replace", "path": "/status", "value": status}]


def patient_status(resource):
    return next(each["status"] for each in resource["participant"] if each["actor"]["reference"].startswith("Patient/"))


@pytest.mark.parametrize("media_type", ["application/fhir+json", "application/fhirpath-patch+fhirpath"])
@pytest.mark.parametrize("path", ["status", "Appointment.status"])
def test_a_fhirpath_patch_cancels_too(api, path, media_type):
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": path},
        {"name": "value", "valueCode": "cancelled"},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    response = api.patch(booked().reference, body, media_type)
    assert (response.status_code, response.fhir["status"]) == (200, "cancelled")


def test_cancelling_frees_the_time_and_the_patient_declines(api):
    appointment = booked()
    response = api.patch(appointment.reference, [CANCEL])
    assert (response.status_code, response.fhir["status"], response["ETag"]) == (200, "cancelled", 'W/"2"')
    assert response["Location"].endswith(f"{appointment.reference}/_history/2")
    assert patient_status(response.fhir) == "declined"
    assert not Slot.objects.filter(appointment=appointment, deleted_at=None).exists()
    assert AuditEvent.objects.exclude(subtype="read").get().subtype == "cancel"


def test_cancelling_again_changes_nothing(api):
    appointment = booked()
    patch = [CANCEL, {"op": "add", "path": "/cancelationReason", "value": R4_REASON}]
    first = api.patch(appointment.reference, patch)
    message = Communication.objects.count()
    for again in (patch, [CANCEL]):
        response = api.patch(appointment.reference, again)
        assert (response.status_code, response.fhir) == (200, first.fhir)
    assert (AuditEvent.objects.filter(subtype="cancel").count(), Communication.objects.count()) == (1, message)


def test_a_hold_is_released_and_its_people_stay_tentative(api, ada):
    schedule = ScheduleFactory()
    held = visit(api.post(HOLD, proposal(api, schedule.services.get(), schedule, patient=ada)))
    response = api.patch(f"Appointment/{held['id']}", [CANCEL])
    assert (response.status_code, response.fhir["status"]) == (200, "cancelled")
    assert {each["status"] for each in response.fhir["participant"]} == {"tentative"}
    assert not Slot.objects.filter(deleted_at=None).exists()


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ({"path": "/cancelationReason", "value": R4_REASON}, "transportation"),
        (
            {"path": "/extension", "value": [{"url": EXTENSION, "valueCodeableConcept": GUIDES_REASON}]},
            "transportation",
        ),
    ],
    ids=["R4", "Argonaut"],
)
def test_the_reason_is_returned_as_in_r4_and_in_the_guides(api, reason, text):
    cancelled = api.patch(booked().reference, [CANCEL, {"op": "add", **reason}]).fhir
    [extension] = cancelled["extension"]
    assert extension["url"] == EXTENSION
    assert extension["valueCodeableConcept"]["coding"][0]["code"] == text
    assert cancelled["cancelationReason"]["coding"][0] == R4_REASON["coding"][0]


def test_a_reason_from_elsewhere_is_returned_both_ways_too(api):
    appointment = booked()
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "cancelationReason", "valueCodeableConcept": R4_REASON}],
    }
    cancelled = api.post(f"{appointment.reference}/$cancel", body).fhir
    assert cancelled["cancelationReason"] == R4_REASON
    assert GUIDES_REASON["coding"][0] in cancelled["extension"][0]["valueCodeableConcept"]["coding"]


def test_a_reason_without_a_counterpart_stays_as_it_was_said(api):
    url = f"{IHE}/StructureDefinition/extension-status-reason"
    reason = {"text": "No show of hands", "coding": [{"system": f"{IHE}/CodeSystem/status-reason", "code": "refused"}]}
    extension = {"url": url, "valueCodeableConcept": reason}
    cancelled = api.patch(booked().reference, [CANCEL, {"op": "add", "path": "/extension", "value": [extension]}]).fhir
    assert (cancelled["extension"], cancelled["cancelationReason"]) == ([extension], reason)


def test_only_what_is_off_has_a_reason(api):
    response = api.patch(booked().reference, [{"op": "add", "path": "/cancelationReason", "value": R4_REASON}])
    assert (response.status_code, codes(response)) == (422, ["invariant"])
    assert "app-4" in texts(response)


@pytest.mark.parametrize(
    "wrong", [7, "late", {"coding": "x"}, {"coding": [7]}, {"coding": [{**R4_REASON["coding"][0], "code": ["x"]}]}]
)
@pytest.mark.parametrize("path", ["/cancelationReason", "/extension"])
def test_a_reason_that_is_none_is_refused(api, path, wrong):
    value = [{"url": EXTENSION, "valueCodeableConcept": wrong}] if path == "/extension" else wrong
    response = api.patch(booked().reference, [CANCEL, {"op": "add", "path": path, "value": value}])
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/start", "2026-01-05T15:00:00Z"),
        ("/end", "2026-01-05T15:00:00Z"),
        ("/minutesDuration", 20),
        ("/slot", [{"reference": "Slot/other"}]),
        ("/participant/0/status", "declined"),
    ],
)
def test_times_slots_and_people_are_amended_with_reschedule(api, path, value):
    response = api.patch(booked().reference, [{"op": "add", "path": path, "value": value}])
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert "$reschedule" in texts(response)


def test_words_can_be_changed(api):
    appointment = booked()
    patch = [{"op": "add", "path": f"/{name}", "value": "Bring the film."} for name in ("comment", "description")]
    response = api.patch(appointment.reference, patch)
    assert (response.fhir["comment"], response.fhir["description"]) == ("Bring the film.", "Bring the film.")
    assert response.fhir["status"] == "booked"


def test_the_day_of_a_visit_goes_step_by_step(api):
    appointment = booked(at=timezone.now() - timedelta(minutes=20))
    for status in ("arrived", "checked-in", "fulfilled"):
        assert api.patch(appointment.reference, step(status)).fhir["status"] == status
    back = api.patch(appointment.reference, step("booked"))
    assert (back.status_code, codes(back)) == (409, ["conflict"])


@pytest.mark.parametrize("status", ["arrived", "checked-in", "fulfilled", "noshow"])
def test_a_visit_of_tomorrow_cannot_be_fulfilled(api, status):
    appointment = booked(at=timezone.now() + timedelta(days=2))
    whole = api.get(appointment.reference).fhir
    for response in (
        api.patch(appointment.reference, step(status)),
        api.put(appointment.reference, {**whole, "status": status}),
    ):
        assert (response.status_code, codes(response)) == (422, ["business-rule"])
    soon = booked(at=timezone.now() + timedelta(minutes=1))
    on_its_day = api.patch(soon.reference, step("noshow"))
    assert on_its_day.status_code == 422  # a visit cannot be missed before it begins


def test_a_visit_that_is_over_is_not_cancelled(api):
    response = api.patch(booked(status="fulfilled").reference, [CANCEL])
    assert (response.status_code, codes(response)) == (409, ["conflict"])


def test_a_hold_is_booked_by_a_patch(api, ada):
    schedule = ScheduleFactory()
    held = visit(api.post(HOLD, proposal(api, schedule.services.get(), schedule, patient=ada)))
    response = api.patch(f"Appointment/{held['id']}", step("booked"))
    assert (response.status_code, response.fhir["status"]) == (200, "booked")


def test_a_patient_cancels_their_own_visit_and_says_why(ada):
    appointment = booked(patient=ada)
    mine = Api(user=ada.user)
    response = mine.patch(
        appointment.reference, [CANCEL, {"op": "add", "path": "/cancelationReason", "value": R4_REASON}]
    )
    assert (response.status_code, response.fhir["status"]) == (200, "cancelled")


def test_another_patients_visit_does_not_exist(ada, bo):
    response = Api(user=ada.user).patch(booked(patient=bo).reference, [CANCEL])
    assert (response.status_code, codes(response)) == (404, ["not-found"])


@pytest.mark.parametrize(
    "patch",
    [
        step("arrived"),
        step("entered-in-error"),
        [{"op": "add", "path": "/comment", "value": "x"}],
        [CANCEL, {"op": "add", "path": "/comment", "value": "x"}],
        [CANCEL, {"op": "add", "path": "/priority", "value": 1}],
        [CANCEL, {"op": "add", "path": "/extension", "value": [{"url": "http://x.example", "valueString": "x"}]}],
        [CANCEL, {"op": "add", "path": "/identifier", "value": [{"value": "x"}]}],
    ],
    ids=range(7),
)
def test_a_patient_changes_nothing_else(ada, patch):
    appointment = booked(patient=ada)
    response = Api(user=ada.user).patch(appointment.reference, patch)
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    appointment.refresh_from_db()
    assert appointment.status == "booked"


def test_a_patient_is_held_to_the_cut_off(ada):
    schedule = ScheduleFactory()
    service = schedule.services.get()
    service.cancellation_notice = timedelta(days=400)
    service.save()
    at = timezone.now() + timedelta(days=2)
    appointment = AppointmentFactory(
        schedules=[schedule], service=service, patient=ada, start=at, end=at + timedelta(minutes=30)
    )
    response = Api(user=ada.user).patch(appointment.reference, [CANCEL])
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


def test_the_people_of_the_visit_take_its_steps(chen):
    schedule = ScheduleFactory(actor=chen)
    appointment = AppointmentFactory(schedules=[schedule])
    assert Api(user=chen.user).patch(appointment.reference, step("arrived")).fhir["status"] == "arrived"
    stranger = Api(user=UserFactory())
    assert stranger.patch(appointment.reference, step("fulfilled")).status_code == 404


def test_only_the_version_that_was_read_is_cancelled(api):
    appointment = booked()
    assert api.patch(appointment.reference, [CANCEL], if_match='W/"7"').status_code == 412
    assert api.patch(appointment.reference, [CANCEL], if_match='W/"1"').status_code == 200
