"""A patient about whom everything was deleted, as other software finds them."""

import pytest
from django.utils import timezone

from scheduling import personal_data
from scheduling.access import Caller
from tests.api.conftest import texts
from tests.factories import AppointmentFactory

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = Caller(client="operator", scopes=("system/*.cruds",))


@pytest.fixture
def erased(ada):
    """Ada, who came once, and about whom everything was deleted."""
    past = {"start": "2024-05-06T10:00:00Z", "end": "2024-05-06T10:30:00Z", "status": "fulfilled"}
    AppointmentFactory(patient=ada, **past)
    personal_data.erase(ada.fhir_id, caller=OPERATOR, now=timezone.now())
    return ada


def test_the_record_is_gone_as_deleted_ones_are(api, erased):
    assert api.get(f"Patient/{erased.fhir_id}").status_code == 410
    assert api.get(f"Patient/{erased.fhir_id}/$everything").status_code in (404, 410)
    assert api.get("Patient").fhir["total"] == 0


def test_no_earlier_version_is_left(api, erased):
    history = api.get(f"Patient/{erased.fhir_id}/_history").fhir
    assert [each["request"]["method"] for each in history["entry"]] == ["DELETE"]
    assert api.get(f"Patient/{erased.fhir_id}/_history/1").status_code in (404, 410)


def test_the_visit_refers_to_the_record_without_a_name(api, erased):
    visit = api.get(erased.appointments.get().reference).fhir
    assert visit["status"] == "fulfilled"
    assert visit["participant"] == [{"actor": {"reference": erased.reference}, "status": "accepted"}]


def test_no_update_brings_the_record_back(api, erased):
    """The visits that are kept would have a name again."""
    again = {"resourceType": "Patient", "id": erased.fhir_id, "name": [{"family": "Quinn"}]}
    answer = api.put(f"Patient/{erased.fhir_id}", again)
    assert answer.status_code == 410
    assert "Use another id" in texts(answer)
    assert api.get(f"Patient/{erased.fhir_id}").status_code == 410
