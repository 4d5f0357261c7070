"""The benchmarks: the checkout of another revision, the tables that are printed and the tables that are filled."""

import subprocess
from collections import Counter
from datetime import date, datetime

import pytest
from django.db import connection

from benchmarks import call_costs, full_clinic, past_visits, product
from benchmarks.book import KINDS, bookings_of
from benchmarks.find import questions_of
from benchmarks.full_clinic import ZONE
from benchmarks.inside import make_client
from benchmarks.product import products
from benchmarks.report import compare
from benchmarks.rows import insert
from benchmarks.scale import compare_rate
from benchmarks.stage import make_clinic, next_monday, take
from clinic.models import Appointment, AuditEvent, Slot

FILES = ("settings.py", "urls.py", "wsgi.py", "find.py")


def git(root, *arguments):
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose first revision is without benchmarks, and whose working tree has changed since the second."""
    root = tmp_path / "repository"
    folder = root / "benchmarks"
    folder.mkdir(parents=True)
    git(root, "init", "--quiet")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Begin.")
    for name in FILES:
        (folder / name).write_text("old")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Measure.")
    for name in (*FILES, "stage.py"):
        (folder / name).write_text("new")
    (root / "node_modules").mkdir()
    (root / "node_modules" / "calendar.js").touch()
    monkeypatch.setattr(product, "ROOT", root)
    return root


def test_this_tree_alone_is_measured_without_another_revision(repository):
    with products(None) as measured:
        assert [(each.name, each.root) for each in measured] == [("this tree", repository)]


def test_another_revision_is_checked_out_beside_this_tree(repository):
    with products("HEAD") as (old, new):
        assert (old.name, new.name, new.root) == ("HEAD", "this tree", repository)
        assert (old.root / "node_modules" / "calendar.js").exists()
        texts = {file.name: file.read_text() for file in (old.root / "benchmarks").iterdir()}
        # its own are the modules that import the product
        assert texts == {
            "settings.py": "old",
            "urls.py": "old",
            "wsgi.py": "old",
            "find.py": "new",
            "stage.py": "new",
        }
    assert not old.root.exists()
    assert git(repository, "worktree", "list").count("\n") == 0
    assert (repository / "benchmarks" / "urls.py").read_text() == "new"
    assert (repository / "node_modules" / "calendar.js").exists()


def test_a_failure_removes_the_other_checkout(repository):
    with pytest.raises(ZeroDivisionError), products("HEAD") as (old, _):
        raise ZeroDivisionError
    assert not old.root.exists()
    assert git(repository, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("nowhere", "There is no git revision nowhere."),
        ("--all", "There is no git revision --all."),
        ("HEAD~1", "HEAD~1 cannot be measured: it has no benchmarks/settings.py."),
    ],
)
def test_a_revision_that_cannot_be_measured_is_named(repository, revision, sentence):
    with pytest.raises(SystemExit) as refused, products(revision):
        pass
    assert str(refused.value) == sentence
    assert git(repository, "worktree", "list").count("\n") == 0


def test_the_error_of_a_product_is_told(tmp_path):
    old = product.Product("v1", tmp_path)
    assert old.run("-c", "import os; print(os.environ['CLINIC_DATA_DIR'])", data_dir=tmp_path) == f"{tmp_path}\n"
    with pytest.raises(SystemExit, match=r"^`python -c import nothing_of_it` failed in v1: ModuleNotFoundError: .*"):
        old.run("-c", "import nothing_of_it", data_dir=tmp_path)


def test_a_comparison_shows_old_new_and_their_ratio(capsys):
    compare("Compared", "question", {"p50 ms": {"one": 4.0, "none": 0}}, {"p50 ms": {"one": 3.0, "none": 0}})
    assert capsys.readouterr().out == (
        "\nCompared\n\n"
        "| question | p50 ms: old | new  | new / old |\n"
        "|----------|-------------|------|-----------|\n"
        "| one      | 4.00        | 3.00 | x 0.75    |\n"
        "| none     | 0           | 0    |           |\n"
    )


@pytest.mark.parametrize(
    ("workers", "row"), [(1, (100, 100, "x 0.50")), (2, (100, 50, "x 0.50")), (8, (100, 25, "x 0.50"))]
)
def test_a_rate_is_shared_by_the_cores_that_have_a_worker(workers, row):
    assert compare_rate(100.0, 200.0, workers, cores=4) == row


@pytest.mark.django_db
def test_rows_suit_the_table():
    """Columns that it lacks are left out, and those that it needs besides are empty."""
    psycopg_connection = connection.connection
    with connection.cursor() as cursor:
        cursor.execute(insert(psycopg_connection, "clinic_location", {"name": "'Main'", "of_next_year": "1"}))
        cursor.execute("SELECT name, phone, identifier::text, version FROM clinic_location")
        assert cursor.fetchall() == [("Main", "", "[]", 1)]


@pytest.mark.django_db
def test_the_clinic_of_the_benchmarks_can_be_found_and_booked(client):
    """Ten of the sixteen half hours of a working day are taken."""
    first_day = next_monday()
    make_clinic(connection.connection, 4)
    take(connection.connection, 4, 0, 4 * 10, first_day)
    headers = {"authorization": f"Bearer {make_client()}"}
    _, path, _ = questions_of(first_day)["1 schedule x 1 day"]
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["entry"]) == 6
    for kind in KINDS:
        _, path, body = next(bookings_of(first_day, kind))
        answer = client.post(path, body, content_type="application/fhir+json", headers=headers)
        assert answer.status_code == 201, answer.content


@pytest.mark.django_db
def test_the_past_fills_the_calendars_before_a_day_and_has_messages_and_audit_lines():
    """The database refuses two visits at one time, so no two of them are."""
    this_week = datetime(2026, 3, 2, 12, tzinfo=ZONE)
    clinic = full_clinic.fill(2, [], now=this_week)
    past_visits.add(connection.connection, 2 * 24 * 2 + 1, before=this_week.date())
    visits = Appointment.objects.filter(site=clinic.site)
    assert Counter(visits.values_list("start__date", flat=True)) == {
        date(2026, 3, 1): 48,
        date(2026, 2, 28): 48,
        date(2026, 2, 27): 1,
    }
    came = visits.exclude(status="cancelled")
    assert Slot.objects.filter(appointment__in=came, status="busy").count() == came.count() < visits.count()
    assert {visit.communications.get().patient for visit in visits} == {visit.patient for visit in visits}
    assert AuditEvent.objects.filter(appointment__in=visits).count() == visits.count()


@pytest.mark.django_db(transaction=True)
def test_what_a_booking_does_is_counted(monkeypatch):
    monkeypatch.setattr(call_costs, "ASKED", 2)
    make_clinic(connection.connection, 8)
    make_client()
    bookings = call_costs.to_operation("$book", bookings_of(next_monday(), KINDS[0]))
    _, calls, statements, files = call_costs.measured(bookings)
    assert calls > 1_000
    assert statements > 10
    assert 20 < files < 200
