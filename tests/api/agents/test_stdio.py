"""The command `mcp` serves one caller over its input and output."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clinic.models import Appointment
from tests.api.access.world import app_of
from tests.api.agents.agent import over_stdio
from tests.api.conftest import api_with, application
from tests.factories import ScheduleFactory, ServiceFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(chen):
    service = ServiceFactory(name="Check-up")
    ScheduleFactory(actor=chen, services=[service])
    return service


def find(service):
    window = {"start": monday(0).isoformat(), "end": monday(0, days=1).isoformat(), "limit": 1}
    return "find_times", {"service": service.fhir_id, **window}


def test_the_holder_of_a_token_books(ada, service):
    token = app_of(ada, "patient/*.cruds").headers["Authorization"].removeprefix("Bearer ")
    [found] = over_stdio(token, find(service))
    time = found["times"][0]["time"]
    [booked, listed] = over_stdio(
        token, ("book_time", {"time": time, "idempotency_key": "over-stdio"}), ("my_visits", {})
    )
    visit = Appointment.objects.get()
    assert (booked["visit"], visit.patient, visit.status) == (visit.fhir_id, ada, "booked")
    assert [each["visit"] for each in listed["visits"]] == [visit.fhir_id]


def test_software_acts_with_the_scopes_that_it_is_registered_for(ada, service):
    application("system/Appointment.rs system/Patient.rs", client_id="front-office")
    [found, refused] = over_stdio(
        "",
        find(service),
        ("book_time", {"time": "t~2027-01-01T10:00:00Z~s", "patient": ada.fhir_id, "idempotency_key": "over-stdio"}),
        arguments=("--client", "front-office"),
    )
    assert found["times"]
    assert "There is no service" in str(refused)


def test_nobody_is_served_without_a_token(monkeypatch, db):
    monkeypatch.setenv("MCP_TOKEN", "nothing")
    with pytest.raises(CommandError, match="no access token that is valid"):
        call_command("mcp", stdout=StringIO())
    api_with()
    with pytest.raises(CommandError, match="no software 'gone'"):
        call_command("mcp", "--client", "gone", stdout=StringIO())


def test_without_the_sdk_the_command_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("api.management.commands.mcp.find_spec", lambda name: None)
    with pytest.raises(CommandError, match="pip install"):
        call_command("mcp", "--http")
