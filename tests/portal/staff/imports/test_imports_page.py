"""Managers import a file from a page: its columns, the report of the check, the import, and its undo."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import ImportFile, Patient
from scheduling import tasks

pytestmark = pytest.mark.django_db

IMPORT = "/staff/setup/import/"
TEXT = "Number,Family name,Given names,Date of birth,Remark\n1,Marlow,Iris,1985-03-27,\n2,Okafor,Dan,1972-13-05,=1+1\n"
COLUMNS = {"column-number": "0", "column-family": "1", "column-given": "2", "column-born": "3"}


@pytest.fixture
def as_alex(client, alex):
    client.force_login(alex)
    return client


def send(client, text=TEXT, kind="patients"):
    upload = SimpleUploadedFile("patients.csv", text.encode(), "text/csv")
    response = client.post(IMPORT, {"kind": kind, "file": upload})
    file = ImportFile.objects.get()
    assertRedirects(response, f"{IMPORT}{file.pk}/")
    return file


def act(client, file, step, data=None):
    file.refresh_from_db()
    address = f"{IMPORT}{file.pk}/"
    return client.post(address, {"step": step, "version": file.version, **(data or {})}, follow=True)


def test_a_file_is_checked_mended_imported_and_undone(as_alex):
    assertContains(as_alex.get(IMPORT), "No file has been sent yet.")
    file = send(as_alex)
    page = as_alex.get(f"{IMPORT}{file.pk}/")
    assertContains(page, '<option value="1" selected>Family name (Marlow, Okafor)')
    assertContains(page, "Nothing is imported yet.")
    page = act(as_alex, file, "check", COLUMNS)
    for text in ("1 line is new", "1 line is refused", "Line 2: There is no such day: 1972-13-05.", "Import 1 line"):
        assertContains(page, text)
    assertNotContains(page, "All or nothing")
    assert not Patient.objects.exists()
    download = as_alex.get(f"{IMPORT}{file.pk}/refused.csv").getvalue().decode("utf-8-sig")
    header, line = csv.reader(io.StringIO(download))
    assert header == ["Number", "Family name", "Given names", "Date of birth", "Remark", "Reason"]
    assert line == ["2", "Okafor", "Dan", "1972-13-05", "'=1+1", "There is no such day: 1972-13-05."]
    page = act(as_alex, file, "start", {"lines": "good"})
    for text in ("What the import did", "1 line is new", "Undo the import"):
        assertContains(page, text)
    assert Patient.objects.get().family == "Marlow"
    assertContains(act(as_alex, file, "undo"), "What was imported has been deleted again.")
    assert not Patient.objects.filter(deleted_at=None).exists()


def test_a_required_column_must_be_chosen(as_alex):
    file = send(as_alex)
    page = act(as_alex, file, "check", {**COLUMNS, "column-family": ""})
    assertContains(page, "Choose the column for “Family name”.", status_code=422)
    assertContains(page, '<option value="3" selected>', status_code=422)
    assert ImportFile.objects.get().status == "sent"


def test_a_long_file_is_done_by_the_worker_with_progress(as_alex):
    lines = "".join(f"{n},Family{n},Given,,\n" for n in range(600))
    file = send(as_alex, TEXT.partition("\n")[0] + "\n" + lines)
    page = act(as_alex, file, "check", COLUMNS)
    for text in ("Being checked", "0 of 600 lines are done.", 'data-reload-in="3"'):
        assertContains(page, text)
    tasks.work_on_imports()
    assertContains(as_alex.get(f"{IMPORT}{file.pk}/"), "600 lines are new")
    act(as_alex, file, "start", {"lines": "all"})
    tasks.work_on_imports()
    assert Patient.objects.count() == 600
    assertContains(as_alex.get(IMPORT), "600 lines. Imported")


def test_a_second_manager_sees_what_the_first_has_done(as_alex):
    file = send(as_alex)
    old = file.version
    act(as_alex, file, "check", COLUMNS)
    page = as_alex.post(f"{IMPORT}{file.pk}/", {"step": "check", "version": old, **COLUMNS}, follow=True)
    assertContains(page, "Somebody else has changed this import in the meantime.")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "Choose what is in the file."),
        ({"kind": "patients"}, "Choose a file."),
        ({"kind": "patients", "file": SimpleUploadedFile("x.csv", b"")}, "The file is empty."),
        ({"kind": "patients", "file": SimpleUploadedFile("x.csv", b"Number,Name\n")}, "no lines below"),
    ],
)
def test_problems_of_a_file_are_said_beside_it(as_alex, data, text):
    assertContains(as_alex.post(IMPORT, data), text, status_code=422)


def test_what_does_not_exist_is_not_found(as_alex):
    assert as_alex.get(f"{IMPORT}999/").status_code == 404
    file = send(as_alex)
    assert as_alex.post(f"{IMPORT}{file.pk}/", {"step": "other", "version": 1}).status_code == 404


def test_the_front_desk_imports_nothing(client, rana):
    client.force_login(rana)
    assert client.get(IMPORT).status_code == 403
