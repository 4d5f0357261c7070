"""Plug-ins answer through the API: refusals as 422, warnings beside the visit, and 503 without a required answer."""

import pytest

from api.operations.ids import free_slot_id
from clinic.fhir.datatypes import instant
from clinic.models import Appointment
from tests.api.conftest import codes, texts
from tests.api.dialects import issues, matches, notes, offer, parameters, reference
from tests.api.visits import BOOK, HOLD, found, proposal, visit
from tests.factories import ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db(transaction=True)

REFUSAL = "New patients are seen in the morning. Choose a time before 12 noon."
WARNING = "The patient is new: plan ten minutes for the papers."
RAISES = """
    class Rules(Plugin):
        def before_booking(self, facts):
            raise LookupError
    """


@pytest.fixture
def service():
    return ServiceFactory(name="Check-up")


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture(autouse=True)
def mornings(install):
    install.example("plugin-new-patient-mornings")


def outcome_of(answer):
    return [
        (issue["severity"], issue["code"], issue["details"]["text"])
        for issue in answer.fhir["entry"][0]["response"]["outcome"]["issue"]
    ]


@pytest.mark.parametrize("operation", [BOOK, HOLD])
def test_a_refusal_is_422_with_the_words_of_the_plugin(api, service, chen, ada, operation):
    answer = api.post(operation, proposal(api, service, chen, at=monday(13), patient=ada))
    assert (answer.status_code, codes(answer), texts(answer)) == (422, ["business-rule"], REFUSAL)
    assert not Appointment.objects.exists()


def test_a_warning_is_beside_the_visit_in_each_answer(api, service, chen, ada):
    """Bundle.entry.response.outcome: hints and warnings, https://hl7.org/fhir/R4/bundle-definitions.html"""
    sent = proposal(api, service, chen, at=monday(10), patient=ada)
    booked = api.post(BOOK, sent, idempotency_key="one")
    assert booked.status_code == 201
    assert outcome_of(booked) == [("information", "informational", WARNING)]
    assert outcome_of(api.post(BOOK, sent, idempotency_key="one")) == outcome_of(booked)

    reference = f"Appointment/{visit(booked)['id']}"
    to = {"start": monday(11).isoformat(), "schedule": chen.reference}
    moved = api.post(f"{reference}/$reschedule", to)
    assert moved.status_code == 200, moved.fhir
    assert outcome_of(moved) == [("information", "informational", WARNING)]
    assert api.post(f"{reference}/$reschedule", {**to, "start": monday(14).isoformat()}).status_code == 422


def plain(slot, patient, status="booked"):
    """The Appointment of a client that knows no operation."""
    participants = [{"actor": {"reference": patient.reference}, "status": "accepted"}]
    return {
        "resourceType": "Appointment",
        "status": status,
        "slot": [{"reference": slot.reference}],
        "participant": participants,
    }


@pytest.mark.parametrize("status", ["booked", "pending"])
def test_plain_fhir_is_judged_as_the_operations_are(api, service, chen, ada, status):
    slot = SlotFactory(schedule=chen, status="free", start=monday(19), end=monday(19, 30))
    answer = api.post("Appointment", plain(slot, ada, status))
    assert (answer.status_code, texts(answer)) == (422, REFUSAL)
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": plain(slot, ada, status), "request": {"method": "POST", "url": "Appointment"}}],
    }
    answer = api.post("", bundle)
    assert answer.status_code == 422
    assert texts(answer).endswith(REFUSAL)
    assert not Appointment.objects.exists()


def test_each_visit_of_a_series_is_judged(api, service, chen, ada):
    def series(hour):
        proposals = found(api, service, chen, **{"occurrence-count": "3"})
        first = next(each for each in proposals if each["start"] == instant(monday(hour)))
        first["participant"].append({"actor": {"reference": ada.reference}, "status": "accepted"})
        return first

    afternoons = api.post(BOOK, series(13))
    assert (afternoons.status_code, Appointment.objects.count()) == (422, 0)
    assert REFUSAL in texts(afternoons)
    mornings = api.post(BOOK, series(10))
    assert (mornings.status_code, Appointment.objects.count()) == (201, 3)
    assert outcome_of(mornings) == [("information", "informational", WARNING)]


def test_a_visit_without_warnings_is_answered_as_before(api, service, chen):
    answer = api.post(HOLD, proposal(api, service, chen))
    assert "outcome" not in answer.fhir["entry"][0]["response"]


def test_argonaut_has_the_same_words(api, chen, ada):
    afternoon, morning = (
        api.post(BOOK, parameters(appt_id=reference(offer(api, hour=hour)), patient_id=ada.reference))
        for hour in (13, 10)
    )
    assert (afternoon.status_code, issues(afternoon), notes(afternoon)) == (200, [("error", "business-rule")], REFUSAL)
    assert [each["status"] for each in matches(afternoon)] == ["cancelled"]
    assert issues(morning) == [("information", "informational")] * 2
    assert notes(morning).endswith(WARNING)


def test_without_the_answer_of_a_required_plugin_the_client_tries_again(api, install, service, chen, ada, settings):
    settings.REQUIRED_PLUGINS = ["broken-rule"]
    install.source("broken-rule", RAISES)
    sent = proposal(api, service, chen, patient=ada)
    answer = api.post(BOOK, sent, idempotency_key="one")
    assert (answer.status_code, codes(answer), answer["Retry-After"]) == (503, ["transient"], "1")
    settings.REQUIRED_PLUGINS = []
    assert api.post(BOOK, sent, idempotency_key="one").status_code == 201


def test_a_posted_appointment_is_refused_too(api, service, chen, ada):
    slot = free_slot_id(chen.pk, service.pk, int(monday(13).timestamp()))
    participant = {"actor": {"reference": ada.reference}, "status": "accepted"}
    body = {"resourceType": "Appointment", "status": "booked", "participant": [participant]}
    answer = api.post("Appointment", {**body, "slot": [{"reference": f"Slot/{slot}"}]})
    assert (answer.status_code, codes(answer), texts(answer)) == (422, ["business-rule"], REFUSAL)
    assert not Appointment.objects.exists()
