"""`manage.py export_fhir`: nothing is lost on the way into an empty database."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic import service_types
from clinic.models import Appointment, HealthcareService, Patient, ServiceType, Slot
from scheduling import setup
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
            resource.get("meta", {}).pop(name, None)
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


def test_the_clinics_own_service_types_come_along(db, tmp_path):
    home = service_types.with_type([], "Home visit")
    unused = ServiceType.objects.create(code="night-visit", name="Night visit")
    service = ServiceFactory(type=home)
    before = export(tmp_path / "before.json")
    assert [each["display"] for each in before["CodeSystem/service-type"]["concept"]] == ["Home visit", unused.name]
    delete_rows(None)
    call_command("load_fhir", str(tmp_path / "before.json"))
    assert export(tmp_path / "after.json") == before
    assert service_types.known_types()["Home visit"] == home[0]
    assert [(row.name, services) for row, services in setup.services_of_types()] == [
        ("Home visit", [HealthcareService.objects.get(fhir_id=service.fhir_id)]),
        ("Night visit", []),
    ]


def test_service_types_that_are_known_stay_as_they_are(db, tmp_path):
    ServiceType.objects.create(code="home-visit", name="Home visit")
    ServiceType.objects.create(code="night", name="Night visit")
    export(tmp_path / "types.json")
    ServiceType.objects.filter(code="home-visit").update(name="Visit at home")
    ServiceType.objects.filter(code="night").update(code="night-visit")
    call_command("load_fhir", str(tmp_path / "types.json"))
    rows = [("night-visit", "Night visit"), ("home-visit", "Visit at home")]
    assert list(ServiceType.objects.values_list("code", "name")) == rows


@pytest.mark.parametrize("concept", ["night", {"code": "night visit", "display": "Night visit"}, {"code": "night"}])
def test_a_type_that_cannot_be_stored_is_refused_with_everything_else(ada, tmp_path, concept):
    ServiceType.objects.create(code="home", name="Home visit")
    export(tmp_path / "before.json")
    bundle = json.loads((tmp_path / "before.json").read_text())
    bundle["entry"][-1]["resource"]["concept"].append(concept)
    (tmp_path / "bad.json").write_text(json.dumps(bundle))
    delete_rows(None)
    with pytest.raises(CommandError, match="A type of services needs a code"):
        call_command("load_fhir", str(tmp_path / "bad.json"))
    assert not Patient.objects.exists()
    assert not ServiceType.objects.exists()


def test_a_file_is_never_overwritten(db, tmp_path):
    (tmp_path / "there.json").write_text("mine")
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call_command("export_fhir", str(tmp_path / "there.json"))
    assert (tmp_path / "there.json").read_text() == "mine"
