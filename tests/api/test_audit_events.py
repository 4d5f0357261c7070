"""Audit events of writes: https://hl7.org/fhir/R4/auditevent.html"""

import pytest

from clinic.models import AuditEvent
from tests.factories import CoverageFactory, LocationFactory, PatientFactory

pytestmark = pytest.mark.django_db

SITE = {"resourceType": "Location", "id": "garden", "status": "active", "name": "Garden"}


def lines():
    """The action of each audit event, and the version that it made."""
    written = AuditEvent.objects.exclude(action="R").order_by("pk")
    return [(each.subtype, each.action, each.target) for each in written]


def test_a_creation(api):
    created = api.post("Patient", {"resourceType": "Patient", "name": [{"family": "Osei"}]})
    [line] = AuditEvent.objects.filter(action="C")
    assert (line.subtype, line.target) == ("create", f"Patient/{created.fhir['id']}/_history/1")
    assert line.patient.fhir_id == created.fhir["id"]
    assert (line.user, line.client) == (None, "system")


def test_each_update_that_changes_something(api):
    for name in ("Garden", "Garden", "Park"):
        api.put("Location/garden", SITE | {"name": name})
    assert lines() == [("create", "C", "Location/garden/_history/1"), ("update", "U", "Location/garden/_history/2")]


def test_a_deletion_once(api):
    site = LocationFactory()
    api.delete(site.reference)
    api.delete(site.reference)
    assert lines() == [("delete", "D", f"{site.reference}/_history/2")]


def test_audit_events_belong_to_their_patient(api):
    coverage = CoverageFactory(beneficiary=PatientFactory(fhir_id="ada"))
    api.delete(coverage.reference)
    assert AuditEvent.objects.get(subtype="delete").patient.fhir_id == "ada"


def test_nothing_of_a_transaction_that_is_undone(api):
    entries = [
        {"resource": SITE, "request": {"method": "PUT", "url": "Location/garden"}},
        {"resource": {"resourceType": "Location", "status": "shut"}, "request": {"method": "POST", "url": "Location"}},
    ]
    refused = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert refused.status_code == 400
    assert lines() == []
