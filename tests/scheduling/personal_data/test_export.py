"""The copy of everything about a patient: complete, and without others' data."""

import json
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic.models import AuditEvent, Patient, StaffRole, WaitlistCall
from scheduling import personal_data
from scheduling.access import Caller
from scheduling.errors import Forbidden
from scheduling.personal_data import DELETED, KEPT
from tests.factories import (
    AppointmentFactory,
    AuditEventFactory,
    CommunicationFactory,
    PatientFactory,
    PatientNoteFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    UserFactory,
)
from tests.scheduling.personal_data.planted import MARKER, patient_with_everything
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def export(patient, caller=None):
    """The files of the copy, by name."""
    caller = caller or Caller(user=patient.user)
    with personal_data.export(patient, caller=caller, now=timezone.now()) as file, ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def resources(files, kind):
    return [
        each["resource"] for each in json.loads(files["fhir.json"])["entry"] if each["resource"]["resourceType"] == kind
    ]


def test_it_has_the_rows_of_every_table(chen, service):
    """Only copies, what others are told, and possible duplicates, who are other people, are left out."""
    ada = patient_with_everything(chen, service)
    files = export(ada)
    kinds = {each["resource"]["resourceType"] for each in json.loads(files["fhir.json"])["entry"]}
    others = json.loads(files["other.json"])
    tables = {table.name: table.model for table in (*DELETED, *KEPT)}
    left_out = {
        name
        for name, model in tables.items()
        if getattr(model, "RESOURCE_TYPE", None) not in kinds and not others.get(name)
    }
    assert left_out == {"cards", "duplicates", "merges", "subscriptions", "audit", "staff-account"}
    assert files[next(name for name in files if name.startswith("files/insurance-"))] == b"photo"
    assert MARKER in files["read-me.html"].decode()
    assert others["sessions"][0]["device"] == MARKER


def test_it_has_no_secret_and_nobody_elses_name(ada, bo, service):
    both = [{"actor": {"reference": each.reference, "display": str(each)}, "status": "accepted"} for each in (ada, bo)]
    AppointmentFactory(patient=ada, service=service, participant=both, start=monday(10), end=monday(11))
    desk = UserFactory(email="rana@example.com")
    AuditEventFactory(patient=ada, user=desk)
    AuditEventFactory(patient=ada, user=ada.user)
    PatientNoteFactory(patient=ada, author=desk)
    everything = b"".join(export(ada).values()).decode(errors="replace")
    for text in ("Lindt", "rana@example.com", ada.user.password):
        assert text not in everything
    lines = json.loads(export(ada)["audit.json"])
    assert [line["who"] for line in lines[:2]] == ["Member of staff 1", "You, or your account"]


def test_messages_about_a_child_are_in_the_childs_copy_alone(ada):
    mia = PatientFactory(given="Mia")
    RelatedPersonFactory(patient=mia, user=ada.user)
    CommunicationFactory(patient=mia, address=ada.email, body="Mia has a visit")
    assert b"Mia has a visit" not in export(ada)["read-me.html"]
    assert resources(export(ada), "Communication") == []
    assert [each["id"] for each in resources(export(mia, Caller(user=ada.user)), "Patient")] == [mia.fhir_id]


def test_internal_notes_and_uploads_are_part_of_it(ada):
    PatientNoteFactory(patient=ada, text="Prefers the morning.")
    QuestionnaireResponseFactory(
        patient=ada,
        item=[{"linkId": "1", "answer": [{"valueAttachment": {"contentType": "application/pdf", "data": "JVBERg=="}}]}],
    )
    files = export(ada)
    assert b"Prefers the morning." in files["read-me.html"]
    assert files["files/1.pdf"] == b"%PDF"


def test_it_is_written_down(ada):
    export(ada)
    line = AuditEvent.objects.get(patient=ada)
    assert (line.subtype, line.user, line.target) == ("export", ada.user, ada.reference)


def test_only_the_patient_and_those_who_run_the_clinic_get_it(ada, bo):
    manager = UserFactory()
    StaffRole.objects.create(user=manager, role="manager")
    assert resources(export(ada, Caller(user=manager)), "Patient")
    for caller in (Caller(), Caller(user=bo.user), Caller(user=ada.user, client="app", scopes=("patient/*.rs",))):
        with pytest.raises(Forbidden):
            export(ada, caller)


def test_the_number_of_statements_does_not_grow_with_the_rows(ada, service, django_assert_max_num_queries):
    visits = [
        AppointmentFactory(patient=ada, service=service, start=monday(10, days=n), end=monday(11, days=n))
        for n in range(12)
    ]
    for visit in visits:
        CommunicationFactory(appointment=visit, patient=ada)
        WaitlistCall.objects.create(entry=visit, outcome="no-answer", called=timezone.now())
    with django_assert_max_num_queries(90):
        export(ada)


def test_operators_export_and_delete_on_the_server(ada, tmp_path, capsys):
    file = tmp_path / "person.zip"
    call_command("export_person", ada.fhir_id, str(file))
    assert ZipFile(file).testzip() is None
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_person", ada.fhir_id, str(file))
    call_command("erase_person", ada.fhir_id)
    assert "Nothing was deleted" in capsys.readouterr().out
    assert Patient.objects.get(pk=ada.pk).given == "Ada"
    with pytest.raises(CommandError, match="There is no"):
        call_command("erase_person", "nobody")


@pytest.mark.django_db(transaction=True)
def test_an_operator_confirms(ada, capsys):
    call_command("erase_person", ada.fhir_id, "--confirm")
    assert "deleted: Name, date of birth" in capsys.readouterr().out
    assert Patient.objects.get(pk=ada.pk).given == ""
    with pytest.raises(CommandError, match="There is no"):
        call_command("export_person", ada.fhir_id, "x.zip")
