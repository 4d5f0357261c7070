"""Everything as FHIR: owners have a worker make one file, and download it for a day."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from clinic import retention
from clinic.models import AuditEvent, FhirExport, FhirExportPart, Patient, StaffRole
from scheduling import exports
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, RuleBroken
from tests.database_flush import delete_rows
from tests.factories import PatientFactory, SubscriptionFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def owner(db) -> Caller:
    user = UserFactory()
    StaffRole.objects.create(user=user, role="owner")
    return Caller(user=user)


@pytest.fixture
def export(owner, ada) -> FhirExport:
    """A file that waits for a worker."""
    SubscriptionFactory()
    return exports.start(caller=owner, now=NOW)


def downloaded(export, owner, now=NOW) -> bytes:
    return b"".join(exports.download(export.pk, caller=owner, now=now))


def test_the_file_is_a_bundle_of_everything_that_can_be_loaded_again(export, owner, ada, tmp_path):
    assert exports.work(now=NOW)
    content = downloaded(export, owner)
    entries = json.loads(content)["entry"]
    kinds = [entry["resource"]["resourceType"] for entry in entries]
    assert kinds.count("Patient") == 1
    assert "Subscription" not in kinds
    export.refresh_from_db()
    assert (export.status, export.resources, export.size) == ("done", len(entries), len(content))
    assert exports.progress_of(export)[1] == len(entries)
    (tmp_path / "everything.json").write_bytes(content)
    delete_rows(None)
    call_command("load_fhir", str(tmp_path / "everything.json"))
    assert Patient.objects.get().fhir_id == ada.fhir_id


def test_a_long_file_is_stored_in_encrypted_parts(export, owner, ada, monkeypatch):
    monkeypatch.setattr(exports, "PART_BYTES", 500)
    for _ in range(5):
        PatientFactory()
    exports.work(now=NOW)
    assert FhirExportPart.objects.count() > 2
    assert all(b"Patient" not in bytes(part.encrypted) for part in FhirExportPart.objects.all())
    assert len(json.loads(downloaded(export, owner))["entry"]) == 6


def test_one_file_is_made_at_a_time(export, owner):
    with pytest.raises(RuleBroken, match="being made already"):
        exports.start(caller=owner, now=NOW)
    exports.work(now=NOW)
    assert not exports.work(now=NOW)
    assert exports.start(caller=owner, now=NOW).status == "waiting"


def test_an_error_is_said_and_leaves_nothing_behind(export, owner, monkeypatch):
    with monkeypatch.context() as patches:
        patches.setattr(exports, "to_fhir", lambda row: 1 / 0)
        exports.work(now=NOW)
    export.refresh_from_db()
    assert export.status == "failed"
    assert not FhirExportPart.objects.exists()
    with pytest.raises(NotFound):
        downloaded(export, owner)
    exports.start(caller=owner, now=NOW)
    assert exports.work(now=NOW)


def test_a_file_whose_worker_is_stopped_is_begun_again_and_given_up_after_three_times(export, monkeypatch):
    def stop(*arguments):
        raise SystemExit

    with monkeypatch.context() as patches:
        patches.setattr(exports, "_make", stop)
        for _ in range(exports.MOST_ATTEMPTS):
            with pytest.raises(SystemExit):
                exports.work(now=NOW)
    assert not exports.work(now=NOW)
    export.refresh_from_db()
    assert export.status == "failed"


def test_the_file_ends_after_a_day(export, owner):
    exports.work(now=NOW)
    assert downloaded(export, owner, NOW + DAY - timedelta(seconds=1))
    with pytest.raises(NotFound):
        downloaded(export, owner, NOW + DAY)
    retention.forget(now=NOW + DAY + timedelta(seconds=1))
    assert not FhirExport.objects.exists()
    assert not FhirExportPart.objects.exists()


def test_who_had_it_made_and_who_downloaded_it_is_written_down(export, owner):
    exports.work(now=NOW)
    downloaded(export, owner)
    lines = AuditEvent.objects.filter(user=owner.user).order_by("pk").values_list("subtype", flat=True)
    assert list(lines) == ["start-export", "download-export"]


@pytest.mark.parametrize("who", ["rana", "ada", "a manager", "an app of an owner"])
def test_nobody_else_exports(export, owner, rana, ada, who):
    manager = UserFactory()
    StaffRole.objects.create(user=manager, role="manager")
    caller = {
        "rana": Caller(user=rana),
        "ada": Caller(user=ada.user),
        "a manager": Caller(user=manager),
        "an app of an owner": Caller(user=owner.user, client="app", scopes=("user/*.cruds",)),
    }[who]
    exports.work(now=NOW)
    for act in (
        lambda: exports.start(caller=caller, now=NOW),
        lambda: exports.exports_of(caller, now=NOW),
        lambda: exports.download(export.pk, caller=caller, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()
