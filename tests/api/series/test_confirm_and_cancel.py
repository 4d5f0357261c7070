"""$confirm and $cancel of series, and moving one visit of them."""

from datetime import datetime, timedelta

import pytest

from clinic.fhir import codes as fhir_codes
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Communication, Slot
from tests.api.conftest import Api, codes, texts
from tests.api.series.visits_of_series import extension, number_of, series_of, visits, week, weeks
from tests.api.visits import expire
from tests.factories import AppointmentFactory
from tests.scheduling.situations import NEW_YORK

pytestmark = pytest.mark.django_db


def operate(api, appointment, operation, **body):
    return api.post(f"Appointment/{appointment['id']}/${operation}", body)


def statuses():
    return list(Appointment.objects.order_by("occurrence").values_list("status", flat=True))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["pending", "booked", "pending", "pending"]),
        ({"occurrences": "this"}, ["pending", "booked", "pending", "pending"]),
        ({"occurrences": "this-and-following"}, ["pending", "booked", "booked", "booked"]),
        ({"occurrences": "all"}, ["booked", "booked", "booked", "booked"]),
    ],
)
def test_confirm(api, held, body, expected):
    answer = operate(api, held[1], "confirm", **body)
    assert (answer.status_code, statuses()) == (200, expected)
    assert [each["id"] for each in visits(answer)] == [
        each["id"] for each, status in zip(held, expected, strict=True) if status == "booked"
    ]


def test_booked_visits_stay_when_the_others_are_confirmed(api, held):
    operate(api, held[1], "confirm")
    answer = operate(api, held[1], "confirm", occurrences="all")
    assert (len(visits(answer)), statuses()) == (3, ["booked"] * 4)
    assert operate(api, held[1], "confirm", occurrences="all").status_code == 409


def test_a_hold_that_has_expired_is_not_confirmed_in_part(api, held):
    expire(held[2]["id"])
    answer = operate(api, held[0], "confirm", occurrences="all")
    assert (answer.status_code, codes(answer)) == (409, ["expired"])
    assert "Appointment 3 of 4 (" in texts(answer)
    assert statuses() == ["pending"] * 4


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["booked", "cancelled", "booked", "booked"]),
        ({"occurrences": "this-and-following"}, ["booked", "cancelled", "cancelled", "cancelled"]),
        ({"occurrences": "all"}, ["cancelled", "cancelled", "cancelled", "cancelled"]),
    ],
)
def test_cancel(api, booked, body, expected):
    reason = {"text": "Moves away"}
    answer = operate(api, booked[1], "cancel", cancelationReason=reason, **body)
    assert (answer.status_code, statuses()) == (200, expected)
    ended = [answer.fhir] if answer.fhir["resourceType"] == "Appointment" else visits(answer)
    assert len(ended) == expected.count("cancelled")
    assert all(each["cancelationReason"]["text"] == "Moves away" for each in ended)
    assert Slot.objects.filter(status="busy", deleted_at=None).count() == expected.count("booked")


def test_ended_visits_stay_when_the_others_are_cancelled(api, booked):
    Appointment.objects.filter(occurrence=1).update(status="fulfilled")
    operate(api, booked[2], "cancel")
    answer = operate(api, booked[1], "cancel", occurrences="all")
    assert (len(visits(answer)), statuses()) == (2, ["fulfilled", "cancelled", "cancelled", "cancelled"])


def test_a_held_series_is_let_go_of_as_one(api, held, service, chen):
    assert operate(api, held[0], "cancel", occurrences="all").status_code == 200
    assert statuses() == ["cancelled"] * 4
    assert Communication.objects.count() == 0


def test_a_patient_cancels_each_in_time_or_none(service, chen, ada, booked):
    service.cancellation_notice = week(10, number=0) - datetime.now(NEW_YORK) + timedelta(days=1)
    service.save()
    mine = Api(user=ada.user)
    answer = operate(mine, booked[1], "cancel", occurrences="all")
    assert answer.status_code == 422
    assert "Appointment 1 of 4 (" in texts(answer)
    assert statuses() == ["booked"] * 4
    assert operate(mine, booked[1], "cancel", occurrences="this-and-following").status_code == 200
    assert statuses() == ["booked", "cancelled", "cancelled", "cancelled"]


def test_others_do_not_see_the_series(bo, booked):
    theirs = Api(user=bo.user)
    for operation in ("confirm", "cancel"):
        assert operate(theirs, booked[0], operation, occurrences="all").status_code == 404
    assert statuses() == ["booked"] * 4


def test_only_the_version_that_was_seen(api, booked):
    path = f"Appointment/{booked[1]['id']}/$cancel"
    assert api.post(path, {"occurrences": "all"}, if_match='W/"7"').status_code == 412
    assert api.post(path, {"occurrences": "all"}, if_match='W/"1"').status_code == 200


@pytest.mark.parametrize("operation", ["confirm", "cancel"])
def test_wrong_occurrences(api, booked, operation):
    alone = {"id": AppointmentFactory().fhir_id}
    answer = operate(api, alone, operation, occurrences="all")
    assert (answer.status_code, texts(answer)) == (400, "Appointment is not part of a recurring series")
    answer = operate(api, booked[0], operation, occurrences="some")
    assert (answer.status_code, texts(answer)) == (
        400,
        "occurrences must be one of this, this-and-following, all",
    )


def test_a_visit_is_moved_alone(api, booked, chen):
    body = {"start": instant(week(14, number=1)), "schedule": chen.reference}
    moved = visits(operate(api, booked[1], "reschedule", **body))[0]
    assert (number_of(moved), series_of(moved)) == (2, series_of(booked[0]))
    assert extension(moved, fhir_codes.OCCURRENCE_CHANGED) == [
        {"url": fhir_codes.OCCURRENCE_CHANGED, "valueBoolean": True}
    ]
    others = Appointment.objects.exclude(occurrence=2).order_by("start")
    assert [instant(each.start) for each in others] == [weeks()[0], *weeks()[2:4]]
