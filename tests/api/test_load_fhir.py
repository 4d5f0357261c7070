"""`manage.py load_fhir`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from clinic.models import Organization, Slot
from scheduling import interactions
from tests.api import connectathon


@pytest.fixture
def load(tmp_path, capsys):
    def run(bundle):
        path = tmp_path / "bundle.json"
        path.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle))
        call_command("load_fhir", str(path))
        return capsys.readouterr()

    return run


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["transaction", "collection"])
def test_loaded_resources_can_be_booked_and_loaded_again(load, kind):
    assert load(connectathon.bundle(kind)).out == "622 resources loaded (622 created, 0 updated, 0 unchanged)\n"
    assert load(connectathon.bundle(kind)).out == "622 resources loaded (0 created, 0 updated, 622 unchanged)\n"
    connectathon.assert_exactly_the_free_quarters_are_offered()


@pytest.mark.django_db
def test_refusals_are_listed_line_by_line(load, capsys):
    bundle = connectathon.bundle()
    slot, schedule = bundle["entry"][0]["resource"], bundle["entry"][64]["resource"]
    del slot["end"]
    with pytest.raises(CommandError, match=r"Nothing was loaded: 1 of its resources is refused\."):
        load(bundle)
    assert capsys.readouterr().err.startswith(f"Slot/{slot['id']}: Slot.end: ")
    schedule["actor"] = []
    with pytest.raises(CommandError, match=r"1 of its resources is refused, 64 that refer to them were not looked at"):
        load(bundle)
    assert not Slot.objects.exists()
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_standard_input_can_be_read(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(connectathon.bundle()).encode())))
    call_command("load_fhir", "-")
    assert capsys.readouterr().out.startswith("622 resources loaded")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[", "This is not JSON: Expecting value at line 1 column 2."),
        ("[]", "This is not a JSON object."),
        ('{"resourceType": "Patient"}', "This is not a Bundle."),
        ('{"resourceType": "Bundle", "type": "searchset"}', "Bundle.type is not transaction or collection."),
    ],
)
def test_a_file_that_is_no_bundle_is_refused(load, content, text):
    with pytest.raises(CommandError) as refusal:
        load(content)
    assert str(refusal.value) == text


def test_a_missing_file_is_named():
    with pytest.raises(CommandError, match=r"^nowhere\.json cannot be read: No such file or directory\.$"):
        call_command("load_fhir", "nowhere.json")


def test_without_a_database_it_says_what_to_start(load, monkeypatch):
    def no_database(*args, **named):
        raise OperationalError("connection refused")

    monkeypatch.setattr(interactions, "write", no_database)
    with pytest.raises(CommandError, match="start `make demo`, or set DATABASE_URL"):
        load(connectathon.bundle())
