"""`manage.py export_fhir`: nothing is lost on the way into an empty database."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic.models import Appointment, Patient, Slot
from tests.database_flush import delete_rows
from tests.factories import (
    AppointmentFactory,
    CoverageFactory,
    LocationFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
    ServiceFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clinic(ada):
    """A visit to come, one that is over, a hold, a block's time, and what belongs to Ada."""
    site = LocationFactory()
    LocationFactory(name="Room 1", part_of=site)
    service = ServiceFactory(price=4000, pricing="fixed")
    schedule = ScheduleFactory(services=[service], site=site)
    now = timezone.now().replace(microsecond=0)
    for ahead, status, more in (
        (timedelta(days=3), "booked", {"comment": "=1+1 “quoted”"}),
        (timedelta(days=-3), "fulfilled", {}),
        (timedelta(days=4), "pending", {"hold_expires_at": now + timedelta(hours=1)}),
    ):
        start, end = now + ahead, now + ahead + timedelta(minutes=30)
        fields = {"patient": ada, "service": service, "site": site, "schedules": [schedule]}
        AppointmentFactory(status=status, start=start, end=end, **fields, **more)
    QuestionnaireResponseFactory(patient=ada, questionnaire=QuestionnaireFactory())
    CoverageFactory(beneficiary=ada)
    SubscriptionFactory()
    PatientFactory(deleted_at=now)


def export(path):
    call_command("export_fhir", str(path))
    entries = json.loads(path.read_text())["entry"]
    found = {}
    for entry in entries:
        resource = entry["resource"]
        for name in ("versionId", "lastUpdated"):
            resource["meta"].pop(name)
        found[f"{resource['resourceType']}/{resource['id']}"] = resource
    assert len(found) == len(entries)
    return found


def test_an_export_is_loaded_into_an_empty_database_with_nothing_lost(clinic, tmp_path, capsys):
    before = export(tmp_path / "before.json")
    kinds = {name.partition("/")[0] for name in before}
    assert {"Location", "Practitioner", "HealthcareService", "Schedule", "Slot", "Appointment", "Coverage"} <= kinds
    assert "Subscription" not in kinds
    visits = {"booked", "fulfilled"}
    assert {each["status"] for each in before.values() if each["resourceType"] == "Appointment"} == visits
    delete_rows(None)
    call_command("load_fhir", str(tmp_path / "before.json"))
    assert export(tmp_path / "after.json") == before
    booked = Appointment.objects.get(status="booked")
    assert (booked.slots.count(), booked.site.name) == (1, booked.slots.get().schedule.site.name)
    assert not Slot.objects.filter(hold_expires_at__isnull=False).exists()
    call_command("load_fhir", str(tmp_path / "before.json"))
    assert "0 created, 0 updated" in capsys.readouterr().out.splitlines()[-1]
    assert Patient.objects.count() == 1


def test_a_file_is_never_overwritten(db, tmp_path):
    (tmp_path / "there.json").write_text("mine")
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call_command("export_fhir", str(tmp_path / "there.json"))
    assert (tmp_path / "there.json").read_text() == "mine"
