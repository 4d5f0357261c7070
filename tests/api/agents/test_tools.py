"""Agents find, hold, book, move and cancel visits by the tools, over HTTP with SMART tokens."""

from datetime import datetime, timedelta

import httpx2
import pytest

from clinic.models import Appointment, AuditEvent, HealthcareService
from tests.api.access.world import app_of
from tests.api.agents.agent import Refused, at_once, http_server, over_http
from tests.api.conftest import api_with
from tests.factories import PatientFactory, ReferralFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import monday, run_out

pytestmark = pytest.mark.django_db(transaction=True)

WEEK = {"start": monday(0).isoformat(), "end": monday(0, days=7).isoformat()}


@pytest.fixture(scope="module")
def address():
    with http_server() as address:
        yield address


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up", comment="A first look.", cancellation_notice=timedelta(hours=24))


@pytest.fixture
def schedule(service, chen):
    return ScheduleFactory(actor=chen, services=[service])


@pytest.fixture
def token(ada):
    """The token of an app that Ada has given access to her own visits."""
    return token_of(app_of(ada, "patient/*.cruds"))


def token_of(api):
    return api.headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def call(address, token, schedule):
    return lambda *calls: over_http(address, token, *calls)


def key(name):
    return {"idempotency_key": f"of-this-test-{name}"}


def free(call, service, **more):
    [found] = call(("find_times", {"service": service.fhir_id, **WEEK, **more}))
    return found["times"]


def test_the_tools_say_what_they_take(call):
    [tools] = call(("tools", {}))
    assert {tool.name for tool in tools} == {
        "list_services",
        "find_times",
        "hold_time",
        "book_time",
        "move_visit",
        "cancel_visit",
        "my_visits",
    }
    for tool in tools:
        assert len(tool.description) > 40
        assert all(part.get("description") for part in tool.input_schema["properties"].values())
        assert ("idempotency_key" in tool.input_schema["properties"]) is not tool.annotations.read_only_hint
    assert [tool.name for tool in tools if tool.annotations.destructive_hint] == ["cancel_visit"]


def test_from_the_list_of_services_to_a_cancelled_visit(call, service, ada):
    [services] = call(("list_services", {}))
    assert [(each["service"], each["name"]) for each in services["services"]] == [(service.fhir_id, "Check-up")]
    first, second, *_ = free(call, service)
    assert datetime.fromisoformat(first["start"]) == monday(9)
    assert (first["practitioner"], first["time_zone"]) == ("Dr. Mei Chen", "America/New_York")

    [held] = call(("hold_time", {"time": first["time"], **key("hold")}))
    assert held["status"] == "held"
    expires = Appointment.objects.get().hold_expires_at
    assert datetime.fromisoformat(held["hold_expires_at"]) == expires
    assert first["time"] not in [each["time"] for each in free(call, service)]

    [booked, listed] = call(
        ("book_time", {"visit": held["visit"], "note": "Left knee", **key("book")}), ("my_visits", {})
    )
    assert (booked["status"], booked["visit"], booked["patient"]) == ("booked", held["visit"], str(ada))
    assert [each["visit"] for each in listed["visits"]] == [booked["visit"]]
    assert Appointment.objects.get().comment == "Left knee"

    [moved] = call(("move_visit", {"visit": booked["visit"], "time": second["time"], **key("move")}))
    assert (moved["start"], moved["visit"]) == (second["start"], booked["visit"])

    [cancelled, left] = call(
        ("cancel_visit", {"visit": booked["visit"], "reason": "I am well again", **key("cancel")}), ("my_visits", {})
    )
    assert (cancelled["status"], left["visits"]) == ("cancelled", [])
    assert Appointment.objects.get().cancelation_reason == {"text": "I am well again"}
    assert {line.client for line in AuditEvent.objects.filter(appointment__isnull=False)} == {"app"}


def test_a_call_that_is_sent_again_is_done_once(call, service):
    [time, *_] = free(call, service)
    book = ("book_time", {"time": time["time"], **key("book")})
    [first, again] = call(book, book)
    assert first == again
    assert Appointment.objects.count() == 1
    [other] = call(("book_time", {"time": time["time"], "note": "Changed", **key("book")}))
    assert isinstance(other, Refused)
    assert "used for another request" in str(other)


def test_a_hold_that_has_expired_is_not_booked(call, service):
    [time, *_] = free(call, service)
    [held] = call(("hold_time", {"time": time["time"], **key("hold")}))
    run_out(Appointment.objects.get())
    [refused, found] = call(
        ("book_time", {"visit": held["visit"], **key("book")}), ("find_times", {"service": service.fhir_id, **WEEK})
    )
    assert "expired" in str(refused)
    assert found["times"][0]["time"] == time["time"], "it is free the instant it expires"


def test_many_agents_want_one_time_and_one_gets_it(address, token, service, schedule, call):
    [time, *_] = free(call, service)
    patients = PatientFactory.create_batch(4)
    system = token_of(api_with())
    outcomes = at_once(
        address,
        *(
            (system, "book_time", {"time": time["time"], "patient": each.fhir_id, **key(each.fhir_id)})
            for each in patients
        ),
    )
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert len(refused) == 3
    assert Appointment.objects.filter(status="booked").count() == 1
    for refusal in refused:
        assert "Free instead" in str(refusal)
        assert service.fhir_id in str(refusal), "times that can be sent back"


def test_scopes_and_persons_limit_what_is_done(address, ada, bo, service, schedule):
    reads = token_of(app_of(ada, "patient/Appointment.rs"))
    [found] = over_http(address, reads, ("find_times", {"service": service.fhir_id, **WEEK}))
    time = found["times"][0]["time"]
    [refused, visits] = over_http(address, reads, ("book_time", {"time": time, **key("book")}), ("my_visits", {}))
    assert "no scope to create Appointments" in str(refused)
    assert visits == {"visits": []}


def test_nobody_acts_for_another(call, service, bo):
    [time, *_] = free(call, service)
    [refused, seen] = call(
        ("book_time", {"time": time["time"], "patient": bo.fhir_id, **key("book")}),
        ("my_visits", {"patient": bo.fhir_id}),
    )
    assert "for whom you may act" in str(refused)
    assert "for whom you may act" in str(seen)
    assert not Appointment.objects.exists()


def test_without_a_token_there_is_no_answer(address, schedule):
    for headers in ({}, {"Authorization": "Bearer nothing"}):
        answer = httpx2.post(address, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)
        assert answer.status_code == 401
        assert "oauth-protected-resource" in answer.headers["www-authenticate"]


def test_a_service_that_needs_a_referral_is_booked_with_one(call, service, ada):
    service.bookable_by = HealthcareService.BookableBy.REFERRED
    service.save()
    assert free(call, service) == []
    referral = ReferralFactory(service=service, patient=ada)
    [time, *_] = free(call, service)
    [without, booked] = call(
        ("book_time", {"time": time["time"], **key("without")}),
        ("book_time", {"time": time["time"], "referral": referral.fhir_id, **key("with")}),
    )
    assert "booked with a referral" in str(without)
    assert booked["status"] == "booked"


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("find_times", {"service": "nothing", **WEEK}, "There is no service"),
        ("find_times", {"service": "{service}", "start": WEEK["end"], "end": WEEK["start"]}, "ends before it starts"),
        ("find_times", {"service": "{service}", "start": "2027-01-01", "end": WEEK["end"]}, "start"),
        ("hold_time", {"time": "tomorrow", **key("x")}, "no time of find_times"),
        ("hold_time", {"time": "tomorrow"}, "idempotency_key"),
        ("book_time", key("y"), "Send either"),
        ("move_visit", {"visit": "nothing", "time": "{time}", **key("z")}, "There is no Appointment/nothing"),
        ("cancel_visit", {"visit": "nothing", **key("w")}, "There is no Appointment/nothing"),
    ],
)
def test_what_is_wrong_is_said(name, arguments, reason, call, service):
    [time, *_] = free(call, service)
    filled = {
        part: value.format(service=service.fhir_id, time=time["time"]) if isinstance(value, str) else value
        for part, value in arguments.items()
    }
    [refused] = call((name, filled))
    assert isinstance(refused, Refused)
    assert reason in str(refused)


def test_a_person_of_the_clinic_names_the_patient(address, service, schedule, ada):
    system = token_of(api_with())
    [found] = over_http(address, system, ("find_times", {"service": service.fhir_id, **WEEK, "limit": 1}))
    time = found["times"][0]["time"]
    assert found["more"]
    [nobody, booked] = over_http(
        address,
        system,
        ("book_time", {"time": time, **key("nobody")}),
        ("book_time", {"time": time, "patient": ada.fhir_id, **key("ada")}),
    )
    assert "for which patient" in str(nobody)
    assert booked["patient"] == str(ada)
