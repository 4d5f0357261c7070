"""$book and $hold of series: all visits or none."""

import json
from datetime import datetime

import pytest

from clinic.fhir import codes as fhir_codes
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, QuestionnaireResponse, Slot
from clinic.time_text import in_short
from tests.api.conftest import Api, codes, ids, texts
from tests.api.series.visits_of_series import (
    SERIES,
    busy,
    extension,
    number_of,
    parts,
    series,
    series_of,
    visits,
    week,
    weeks,
)
from tests.api.visits import BOOK, HOLD, expire, found
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    CoverageFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.situations import NEW_YORK

pytestmark = pytest.mark.django_db


def test_every_visit_is_an_appointment(api, service, chen, ada):
    answer = api.post(BOOK, series(api, service, chen, patient=ada))
    booked = visits(answer)
    assert answer.status_code == 201
    assert [each["start"] for each in booked] == weeks()
    assert {each["status"] for each in booked} == {"booked"}
    assert [number_of(each) for each in booked] == [1, 2, 3, 4, 5, 6]
    assert len({series_of(each) for each in booked}) == 1
    assert [bool(extension(each, fhir_codes.RECURRENCE_TEMPLATE)) for each in booked] == [True] + [False] * 5
    assert ["requestedPeriod" in each for each in booked] == [True] + [False] * 5
    assert [len(each["slot"]) for each in booked] == [2] * 6
    assert answer["Location"].endswith(f"Appointment/{booked[0]['id']}/_history/1")
    assert [api.get(f"Appointment/{each['id']}").fhir for each in booked] == booked
    assert Slot.objects.filter(status="busy", deleted_at=None).count() == 6


def test_its_identifier_finds_all_of_them(api, service, chen, ada):
    booked = visits(api.post(BOOK, series(api, service, chen, patient=ada)))
    answer = api.get("Appointment", {"identifier": f"{fhir_codes.SERIES}|{series_of(booked[0])}", "_sort": "date"})
    assert ids(answer) == [each["id"] for each in booked]


def test_an_update_keeps_the_visit_in_its_series(api, service, chen, ada):
    second = visits(api.post(BOOK, series(api, service, chen, patient=ada)))[1]
    own = {"system": "https://emr.example", "value": "7"}
    sent = {**second, "identifier": [own, {"system": fhir_codes.SERIES, "value": "another"}], "comment": "Bring notes"}
    sent["extension"] = [{"url": fhir_codes.RECURRENCE_ID, "valuePositiveInt": 5}]
    written = api.put(f"Appointment/{second['id']}", sent).fhir
    assert written["comment"] == "Bring notes"
    assert (series_of(written), number_of(written)) == (series_of(second), 2)
    assert own in written["identifier"]


def test_clocks_change_within_it(api):
    """At 09:00 by the clocks of New York before and after the changes of a whole year."""
    service = ServiceFactory(hours=EVERY_DAY)
    schedule = ScheduleFactory(services=[service])
    booked = visits(api.post(BOOK, series(api, service, schedule, count=52, hour=9)))
    local = [datetime.fromisoformat(each["start"]).astimezone(NEW_YORK) for each in booked]
    assert {(each.weekday(), each.hour, each.minute) for each in local} == {(0, 9, 0)}
    assert len({each.utcoffset() for each in local}) == 2
    assert [(each.date() - local[0].date()).days for each in local] == [7 * number for number in range(52)]


def test_a_hold_of_a_series_ends_as_one(api, service, chen, ada):
    answer = api.post(HOLD, series(api, service, chen, patient=ada))
    held = visits(answer)
    assert {each["status"] for each in held} == {"pending"}
    expires = {extension(each, fhir_codes.HOLD_EXPIRES)[0]["valueInstant"] for each in held}
    assert len(expires) == 1
    assert "Expires" in answer
    for each in held:
        expire(each["id"])
    assert len(found(api, service, chen, **SERIES)) == len(found(api, service, chen))


def test_a_series_is_one_hold_of_a_person(service, chen, ada):
    """A person holds two times at most, and a series is one."""
    mine = Api(user=ada.user)
    assert mine.post(HOLD, series(mine, service, chen, patient=ada)).status_code == 201
    assert mine.post(HOLD, series(mine, service, chen, patient=ada, hour=11)).status_code == 201
    answer = mine.post(HOLD, series(mine, service, chen, patient=ada, hour=12))
    assert (answer.status_code, codes(answer)) == (422, ["business-rule"])


def test_all_or_nothing(api, service, chen, ada):
    wanted = series(api, service, chen, patient=ada, count=3)
    busy(chen, number=2)
    answer = api.post(BOOK, wanted)
    assert (answer.status_code, codes(answer)) == (409, ["conflict"])
    [issue] = answer.fhir["issue"]
    when = in_short(week(10, number=2), NEW_YORK)
    assert issue["details"]["text"] == f"Appointment 3 of 3 ({when}): That time is no longer free."
    nearest = [instant(week(*each, number=2)) for each in ((9, 15), (10, 30), (10, 45))]
    assert json.loads(issue["diagnostics"]) == {"alternatives": nearest}
    assert Appointment.objects.count() == 0
    assert Slot.objects.count() == 1


def test_another_start_can_be_chosen_for_a_visit(api, service, chen, ada):
    busy(chen, number=3)
    wanted = series(api, service, chen, patient=ada, conflicts="include")
    assert api.post(BOOK, wanted).status_code == 409
    [conflict] = extension(wanted, fhir_codes.SERIES_OCCURRENCE)
    chosen = parts(conflict)["alternative"][1]
    conflict["extension"].append({"url": "start", "valueInstant": chosen})
    booked = visits(api.post(BOOK, wanted))
    assert [each["start"] for each in booked] == [*weeks()[:3], chosen, *weeks()[4:]]
    changed = [bool(extension(each, fhir_codes.OCCURRENCE_CHANGED)) for each in booked]
    assert changed == [False, False, False, True, False, False]
    assert not any(extension(each, fhir_codes.SERIES_OCCURRENCE) for each in booked)


def test_a_start_that_is_not_offered_is_refused(api, service, chen, ada):
    wanted = series(api, service, chen, patient=ada)
    for start, status in ((week(18, number=2), 422), (week(10, 7, number=2), 422), (week(10, number=3), 400)):
        choice = [
            {"url": "recurrenceId", "valuePositiveInt": 3},
            {"url": "start", "valueInstant": instant(start)},
        ]
        extensions = [*wanted["extension"], {"url": fhir_codes.SERIES_OCCURRENCE, "extension": choice}]
        answer = api.post(BOOK, {**wanted, "extension": extensions})
        assert answer.status_code == status
        assert "Appointment " in texts(answer)


def test_the_patient_is_elsewhere_in_one_of_the_weeks(api, service, chen, ada):
    AppointmentFactory(patient=ada, start=week(10, 15, number=4))
    answer = api.post(BOOK, series(api, service, chen, patient=ada))
    assert answer.status_code == 422
    assert "Appointment 5 of 6 (" in texts(answer)
    assert "another visit at that time" in texts(answer)


def test_the_notice_is_judged_for_each_visit_and_the_horizon_too(api, service, chen, ada):
    wanted = series(api, service, chen, patient=ada)
    service.booking_horizon_days = (week(10, number=3).date() - datetime.now(NEW_YORK).date()).days + 1
    service.save()
    answer = api.post(BOOK, wanted)
    assert answer.status_code == 422
    assert "Appointment 5 of 6 (" in texts(answer)


def test_coverage_must_be_active_on_the_day_of_each_visit(api, chen, ada):
    service = ServiceFactory(requires_coverage=True)
    schedule = ScheduleFactory(services=[service])
    wanted = series(api, service, schedule, patient=ada)
    CoverageFactory(beneficiary=ada, end=week(10, number=3).date())
    answer = api.post(BOOK, wanted)
    assert answer.status_code == 422
    assert "Appointment 5 of 6 (" in texts(answer)


def test_answers_count_for_all_visits(api, ada):
    form = QuestionnaireFactory()
    service = ServiceFactory(requires_questionnaires=True, questionnaires=[form])
    schedule = ScheduleFactory(services=[service])
    wanted = series(api, service, schedule, patient=ada, count=3)
    answer = api.post(BOOK, wanted)
    assert "Appointment 1 of 3 (" in texts(answer)
    QuestionnaireResponseFactory(questionnaire=form, patient=ada)
    booked = visits(api.post(BOOK, wanted))
    [response] = QuestionnaireResponse.objects.all()
    assert response.appointment.fhir_id == booked[0]["id"]


def test_a_series_is_for_one_patient(api, service, chen, ada, bo):
    wanted = series(api, service, chen, patient=ada)
    wanted["participant"].append({"actor": {"reference": bo.reference}, "status": "accepted"})
    answer = api.post(BOOK, wanted)
    assert (answer.status_code, texts(answer)) == (422, "A series is for one patient.")


def test_seats_of_a_group_are_taken_in_every_week(api, ada, bo):
    service = ServiceFactory(capacity=2)
    schedule = ScheduleFactory(services=[service])
    wanted = [series(api, service, schedule, patient=each, count=3) for each in (ada, bo, None)]
    assert [api.post(BOOK, each).status_code for each in wanted] == [201, 201, 409]
    assert sorted(Slot.objects.values_list("seat", flat=True)) == [0, 0, 0, 1, 1, 1]


def test_one_key_is_for_the_whole_series(api, service, chen, ada):
    wanted = series(api, service, chen, patient=ada)
    first = api.post(BOOK, wanted, idempotency_key="k")
    again = api.post(BOOK, wanted, idempotency_key="k")
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.fhir) == (201, first.fhir)
    assert Appointment.objects.count() == 6
    wanted["participant"].pop()
    refused = [api.post(BOOK, wanted, idempotency_key="other") for _ in range(2)]
    assert [each.status_code for each in refused] == [409, 409]
    assert refused[1].fhir["issue"] == refused[0].fhir["issue"]


def test_as_many_statements_for_a_year_as_for_two_weeks(api, service, chen, ada, django_assert_num_queries):
    wanted = {
        count: series(api, service, chen, patient=ada, count=count, hour=hour) for count, hour in ((2, 9), (52, 14))
    }
    api.post(BOOK, series(api, service, chen, count=2, hour=16))
    for each in wanted.values():
        with django_assert_num_queries(14):
            assert api.post(BOOK, each).status_code == 201
