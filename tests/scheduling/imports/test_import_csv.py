"""`manage.py import_csv`."""

import pytest
from django.core.management import CommandError, call_command

from clinic.models import ImportFile, Patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(tmp_path, capsys):
    def run(text, *options):
        path = tmp_path / "patients.csv"
        path.write_text(text)
        call_command("import_csv", "patients", str(path), *options)
        return capsys.readouterr().out.splitlines()

    return run


def test_a_file_is_imported_and_again_changes_nothing(run):
    text = "No,Surname\n1,Marlow\n2,Okafor\n"
    report = "2 lines: 2 new, 0 known already, 0 refused."
    assert run(text, "--check") == [report]
    assert not Patient.objects.exists()
    assert run(text) == [report, "2 lines imported, 0 known already."]
    assert run(text)[-1] == "0 lines imported, 2 known already."
    assert Patient.objects.count() == 2


def test_refused_lines_are_named_and_nothing_is_imported_unless_they_are_left_out(run, capsys):
    text = "Code of the person,Surname\n1,Marlow\n2,\n"
    column = "--column=number=Code of the person"
    with pytest.raises(CommandError, match="Nothing was imported"):
        run(text, column)
    assert "line 2: It has no “Family name”." in capsys.readouterr().err
    assert not Patient.objects.exists()
    assert run(text, column, "--only-good")[-1] == "1 lines imported, 0 known already."


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--column=number=Nothing"], "The file has no column Nothing."),
        (["--column=size=Surname"], "size is not one of number, family"),
        ([], "Choose a column for: Number in the other system."),
    ],
)
def test_wrong_columns_are_said(run, options, text):
    with pytest.raises(CommandError, match=text):
        run("Code,Surname\n1,Marlow\n", *options)
    assert ImportFile.objects.get().status == "sent"
