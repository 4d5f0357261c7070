"""FHIR clients that know nothing of this server, each as a program that calls a live server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import node_path
from tests.api.conftest import SECRET, application
from tests.factories import EVERY_DAY, PractitionerFactory, ScheduleFactory, ServiceFactory, concept

HERE = Path(__file__).parent
SECONDS = 60
CODES = "https://example.org/visit-types"
NPI = "http://hl7.org/fhir/sid/us-npi"


@pytest.fixture
def clinic(transactional_db, site):
    """Three practitioners for one visit type: more than a page of the clients, which have two."""
    service = ServiceFactory(hours=EVERY_DAY, type=[concept("check-up", "Check-up", CODES)])
    for number in range(3):
        actor = PractitionerFactory(identifier=[{"system": NPI, "value": str(number)}])
        ScheduleFactory(services=[service], actor=actor, site=site)
    return site


@pytest.mark.parametrize(
    "script",
    [
        "fhirpy_client.py",
        "fhirclient_client.py",
        "fhir_kit_client.mjs",
        "fhirclient_js.mjs",
        "medplum.mjs",
        "plain_r4.py",
    ],
)
def test_a_client_finds_holds_books_and_cancels(script, clinic, live_server):
    software = application(client_id="somebody-elses")
    environment = {
        "BASE_URL": live_server.url,
        "CLIENT_ID": software.client_id,
        "CLIENT_SECRET": SECRET,
        "VISIT_TYPE": f"{CODES}|check-up",
        "PRACTITIONER": f"{NPI}|1",
        "LOCATION": clinic.fhir_id,
        "NO_PROXY": "*",
    }
    ended, output = run(script, environment)
    assert ended == 0, output


def run(script: str, environment: dict[str, str]) -> tuple[int | None, str]:
    """The exit status of a script and its output; the status is None if the script does not end."""
    program = sys.executable if script.endswith(".py") else node_path()
    assert program, "The clients in JavaScript need Node: python3 bootstrap.py setup"
    with subprocess.Popen(
        [program, HERE / script],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return None, process.communicate()[0]
        return process.returncode, output
