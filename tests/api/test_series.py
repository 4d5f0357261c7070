"""Series: https://www.medplum.com/docs/scheduling, with R5's recurrenceTemplate."""

import json
from datetime import date, datetime, timedelta

import pytest

from clinic.fhir import codes as fhir_codes
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Communication, QuestionnaireResponse, Slot
from clinic.time_text import in_short
from tests.api.conftest import Api, codes, ids, links, texts
from tests.api.visits import BOOK, FIND, HOLD, expire, find_query, found, issues_of, starts
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    CoverageFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import NEW_YORK, monday

pytestmark = pytest.mark.django_db

SERIES = {"occurrence-count": "6"}


@pytest.fixture
def service():
    return ServiceFactory(buffer_after=5)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def week(hour, minute=0, *, number):
    """A time of the Monday of a week: 0 is the week after next. By the clocks of New York."""
    local = monday(hour, minute).astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(weeks=number)
    return local.replace(tzinfo=NEW_YORK).astimezone(monday(hour).tzinfo)


def busy(schedule, *, number, hour=10, minutes=30):
    start = week(hour, number=number)
    return SlotFactory(schedule=schedule, start=start, end=start + timedelta(minutes=minutes))


def extension(appointment, url):
    return [each for each in appointment.get("extension", ()) if each["url"] == url]


def parts(extension):
    """The values of a complex extension by url; a list for each."""
    values = {}
    for part in extension["extension"]:
        value = next((part[name] for name in part if name.startswith("value")), part.get("extension"))
        values.setdefault(part["url"], []).append(value)
    return values


# $find


def test_the_first_visit_has_the_template(api, service, chen):
    proposed = found(api, service, chen, **SERIES)
    first = proposed[0]
    assert first["start"] == instant(monday(9))
    assert extension(first, fhir_codes.RECURRENCE_TEMPLATE) == [
        {
            "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.recurrenceTemplate",
            "extension": [
                {
                    "url": "timezone",
                    "valueCodeableConcept": {
                        "coding": [{"system": "https://www.iana.org/time-zones", "code": "America/New_York"}]
                    },
                },
                {
                    "url": "recurrenceType",
                    "valueCodeableConcept": {
                        "coding": [{"system": "http://unitsofmeasure.org", "code": "wk", "display": "week"}]
                    },
                },
                {"url": "occurrenceCount", "valuePositiveInt": 6},
                {
                    "url": "weeklyTemplate",
                    "extension": [
                        {"url": "monday", "valueBoolean": True},
                        {"url": "weekInterval", "valuePositiveInt": 1},
                    ],
                },
            ],
        }
    ]
    alone = found(api, service, chen)
    assert starts(proposed) == starts(alone)
    assert {name: value for name, value in first.items() if name != "extension"} == alone[0]


def test_only_series_whose_weeks_can_all_be_booked(api, service, chen):
    busy(chen, number=3)
    alone, proposed = found(api, service, chen), found(api, service, chen, **SERIES)
    missing = [instant(monday(9, 30)), instant(monday(9, 45))] + [instant(monday(10, each)) for each in (0, 15)]
    assert [each for each in starts(alone) if each not in starts(proposed)] == missing
    assert len(found(api, service, chen, **{"occurrence-count": "3"})) == len(alone)


def test_every_second_week(api, service, chen):
    busy(chen, number=1)
    proposed = found(api, service, chen, **SERIES, **{"week-interval": "2"})
    assert starts(proposed) == starts(found(api, service, chen))
    template = parts(extension(proposed[0], fhir_codes.RECURRENCE_TEMPLATE)[0])
    assert template["weeklyTemplate"][0][-1] == {"url": "weekInterval", "valuePositiveInt": 2}


def test_conflicts_are_shown_with_the_nearest_times(api, service, chen):
    busy(chen, number=3)
    proposed = found(api, service, chen, **SERIES, conflicts="include")
    assert starts(proposed) == starts(found(api, service, chen))
    ten = next(each for each in proposed if each["start"] == instant(monday(10)))
    [conflict] = extension(ten, fhir_codes.SERIES_OCCURRENCE)
    assert parts(conflict) == {
        "recurrenceId": [4],
        "conflict": [instant(week(10, number=3))],
        "alternative": [instant(week(*each, number=3)) for each in ((9, 15), (10, 30), (10, 45))],
    }
    assert not extension(proposed[0], fhir_codes.SERIES_OCCURRENCE)


def test_at_most_a_third_of_the_visits_is_in_conflict(api, service, chen):
    for number in (1, 3):
        busy(chen, number=number)
    at_ten = {"start": monday(10), "end": monday(10, 30)}
    assert len(found(api, service, chen, **{**SERIES, **at_ten}, conflicts="include")) == 1
    busy(chen, number=4)
    assert found(api, service, chen, **{**SERIES, **at_ten}, conflicts="include") == []


def test_the_horizon_counts_for_the_last_visit(api, service, chen):
    service.booking_horizon_days = (week(12, number=5) - datetime.now(NEW_YORK)).days
    service.save()
    assert found(api, service, chen, **{"occurrence-count": "5"})
    assert found(api, service, chen, **{"occurrence-count": "7"}) == []


def test_the_planning_horizon_counts_for_the_last_visit(api, service, chen):
    chen.planning_start, chen.planning_end = monday(0), week(9, 35, number=5)
    chen.save()
    assert starts(found(api, service, chen, **SERIES)) == [instant(monday(9))]


def test_pages_have_each_series_once(api, service, chen):
    query = find_query(service, chen, **SERIES, **{"_count": "10", "week-interval": "2", "conflicts": "include"})
    answer = api.get(FIND, query)
    pages = [answer]
    while "next" in links(pages[-1]):
        pages.append(api.get(links(pages[-1])["next"]))
    each = [entry["resource"]["start"] for page in pages for entry in page.fhir["entry"]]
    assert each == starts(found(api, service, chen))


def test_nothing_found(api, service, chen):
    busy(chen, number=2, hour=9, minutes=480)
    answer = api.get(FIND, find_query(service, chen, **SERIES))
    [entry] = answer.fhir["entry"]
    assert entry["search"]["mode"] == "outcome"
    assert "No series begins in this window" in entry["resource"]["issue"][0]["details"]["text"]


def test_schedules_share_one_zone(api, service, chen):
    london = ScheduleFactory(services=[service], actor=PractitionerFactory(timezone="Europe/London"))
    answer = api.get(FIND, find_query(service, chen, london, **SERIES))
    assert answer.status_code == 400
    text = "All schedules must share one timezone to find a recurring series"
    assert issues_of(answer) == {(text, "Parameters.schedule")}


def test_too_many_schedules(api, service):
    for _ in range(51):
        ScheduleFactory(services=[service])
    answer = api.get(FIND, find_query(service, **SERIES))
    assert codes(answer) == ["too-costly"]


def test_without_a_schedule_each_series_is_with_one_person(api, service, chen):
    okafor = ScheduleFactory(services=[service])
    for number, schedule in enumerate((chen, okafor), 1):
        busy(schedule, number=number)
    busy(chen, number=1, hour=11)
    proposed = {each["start"]: each for each in found(api, service, **SERIES)}
    assert instant(monday(10)) not in proposed
    eleven = proposed[instant(monday(11))]
    assert {slot["schedule"]["reference"] for slot in eleven["contained"]} == {okafor.reference}


def test_it_is_found_in_xml_and_by_post_too(api, service, chen):
    query = find_query(service, chen, **SERIES)
    page = api.get(FIND, {**query, "_format": "xml"})
    assert page["Content-Type"].startswith("application/fhir+xml")
    assert page.content.count(b'url="weekInterval"') == 20
    assert api.post(FIND, query).fhir["entry"] == api.get(FIND, query).fhir["entry"]


def test_two_statements_however_many_weeks(api, service, chen, django_assert_num_queries):
    api.get(FIND, find_query(service, chen))
    for count in ("2", "52"):
        with django_assert_num_queries(2):
            api.get(FIND, find_query(service, chen, **{"occurrence-count": count}, conflicts="include"))


# $hold and $book


def series(api, service, *schedules, count=6, patient=None, hour=10, **more):
    """The proposal of a series at ten o'clock, with the patient in it."""
    proposed = found(api, service, *schedules, **{"occurrence-count": str(count), **more})
    first = next(each for each in proposed if each["start"] == instant(monday(hour)))
    if patient is not None:
        first["participant"].append({"actor": {"reference": patient.reference}, "status": "accepted"})
    return first


def visits(answer):
    return [entry["resource"] for entry in answer.fhir["entry"] if entry["resource"]["resourceType"] == "Appointment"]


def weeks(count=6, hour=10):
    return [instant(week(hour, number=number)) for number in range(count)]


def series_of(appointment):
    [value] = [each["value"] for each in appointment["identifier"] if each["system"] == fhir_codes.SERIES]
    return value


def number_of(appointment):
    [number] = extension(appointment, fhir_codes.RECURRENCE_ID)
    return number["valuePositiveInt"]


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
        with django_assert_num_queries(16):
            assert api.post(BOOK, each).status_code == 201


UNSUPPORTED = {
    "two templates": lambda wanted: wanted["extension"].append(wanted["extension"][0]),
    "an offset for a zone": lambda wanted: replace_part(wanted, "timezone", zone("+05:00")),
    "no such zone": lambda wanted: replace_part(wanted, "timezone", zone("America/Nowhere")),
    "every day": lambda wanted: replace_part(wanted, "recurrenceType", {"coding": [{"system": UCUM, "code": "d"}]}),
    "one visit": lambda wanted: replace_part(wanted, "occurrenceCount", 1),
    "53 visits": lambda wanted: replace_part(wanted, "occurrenceCount", 53),
    "another weekday": lambda wanted: replace_part(
        wanted, "weeklyTemplate", [{"url": "tuesday", "valueBoolean": True}]
    ),
    "two weekdays": lambda wanted: replace_part(
        wanted,
        "weeklyTemplate",
        [{"url": "monday", "valueBoolean": True}, {"url": "tuesday", "valueBoolean": True}],
    ),
    "more than two years": lambda wanted: replace_part(
        wanted,
        "weeklyTemplate",
        [{"url": "monday", "valueBoolean": True}, {"url": "weekInterval", "valuePositiveInt": 26}],
    ),
    "an excluded date": lambda wanted: wanted["extension"][0]["extension"].append(
        {"url": "excludingDate", "valueDate": "2027-01-04"}
    ),
    "no zone": lambda wanted: wanted["extension"][0]["extension"].pop(0),
    "an identifier of a series": lambda wanted: wanted.update(
        identifier=[{"system": fhir_codes.SERIES, "value": "mine"}]
    ),
    "a number in a series": lambda wanted: wanted["extension"].append(
        {"url": fhir_codes.RECURRENCE_ID, "valuePositiveInt": 1}
    ),
    "a start without an offset": lambda wanted: wanted.update(start=wanted["start"].removesuffix("Z")),
    "a choice for the first visit": lambda wanted: wanted["extension"].append(
        {
            "url": fhir_codes.SERIES_OCCURRENCE,
            "extension": [
                {"url": "recurrenceId", "valuePositiveInt": 1},
                {"url": "start", "valueInstant": wanted["start"]},
            ],
        }
    ),
}
UCUM = "http://unitsofmeasure.org"


def zone(name):
    return {"coding": [{"system": "https://www.iana.org/time-zones", "code": name}]}


def replace_part(wanted, url, value):
    [part] = [each for each in wanted["extension"][0]["extension"] if each["url"] == url]
    [name] = [each for each in part if each != "url"]
    part[name] = value


@pytest.mark.parametrize("change", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_templates_that_are_refused(api, service, chen, change):
    wanted = series(api, service, chen)
    change(wanted)
    answer = api.post(BOOK, wanted)
    assert answer.status_code == 400
    assert all(issue["expression"][0].startswith("Parameters.appointment.") for issue in answer.fhir["issue"])
    assert Appointment.objects.count() == 0


def test_a_local_time_that_the_clocks_skip_is_refused_or_chosen_otherwise(api):
    """The spring day in New York three years on, when 02:30 is skipped; the search is for the Sunday before."""
    service = ServiceFactory(hours=[{"daysOfWeek": ["sat", "sun"], "allDay": True}], booking_horizon_days=None)
    schedule = ScheduleFactory(services=[service])
    year = datetime.now(NEW_YORK).year + 3
    second_sunday = next(day for day in range(8, 15) if date(year, 3, day).weekday() == 6)
    sunday = datetime(year, 3, second_sunday, 2, 30, tzinfo=NEW_YORK) - timedelta(days=7)
    window = {"start": sunday, "end": sunday + timedelta(minutes=30)}
    assert found(api, service, schedule, **{"occurrence-count": "2"}, **window) == []
    [wanted] = found(api, service, schedule, **{"occurrence-count": "2"}, **window, conflicts="include")
    answer = api.post(BOOK, wanted)
    assert (answer.status_code, codes(answer)) == (422, ["business-rule"])
    assert "Appointment 2 of 2: the clocks skip its local time" in texts(answer)
    [conflict] = extension(wanted, fhir_codes.SERIES_OCCURRENCE)
    conflict["extension"].append({"url": "start", "valueInstant": parts(conflict)["alternative"][0]})
    assert len(visits(api.post(BOOK, wanted))) == 2


# $confirm and $cancel


def operate(api, appointment, operation, **body):
    return api.post(f"Appointment/{appointment['id']}/${operation}", body)


def statuses():
    return list(Appointment.objects.order_by("occurrence").values_list("status", flat=True))


@pytest.fixture
def held(api, service, chen, ada):
    return visits(api.post(HOLD, series(api, service, chen, patient=ada, count=4)))


@pytest.fixture
def booked(api, service, chen, ada):
    return visits(api.post(BOOK, series(api, service, chen, patient=ada, count=4)))


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
