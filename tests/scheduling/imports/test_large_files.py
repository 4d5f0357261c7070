"""Large files: in batches with a constant number of statements, once, also when workers are killed or meet."""

import tracemalloc
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import AuditEvent, HealthcareService, ImportedRow, ImportFile, Patient
from scheduling import imports
from scheduling.imports import steps
from tests.scheduling.imports.conftest import NOW
from tests.scheduling.situations import at_once

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "Number,Family name,Given names,Date of birth,Phone\n"


def patients(count):
    return HEADER + "".join(
        f"{n},Family{n},Given,19{n % 80 + 10}-0{n % 9 + 1}-1{n % 10},+1212555{n % 9000 + 1000}\n" for n in range(count)
    )


def services(count):
    return "Number,Name,Minutes\n" + "".join(f"{n},Service {n},20\n" for n in range(count))


def statements_of_a_batch(importer, file):
    with CaptureQueriesContext(connection) as queries:
        imports.work_on(file.pk, caller=importer.caller, now=NOW)
    return len(queries)


def test_a_batch_has_as_many_statements_in_a_long_file_as_in_a_short_one(importer, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 50)
    checked = importer.check("patients", patients(400))
    importer.start(checked, only_good=True)
    counts = {statements_of_a_batch(importer, checked) for _ in range(7)}
    assert len(counts) == 1
    assert counts.pop() < 30
    assert Patient.objects.count() == 350
    assert imports.progress(ImportFile.objects.get()) == 350


def test_twenty_thousand_lines_are_read_in_little_memory(importer):
    """A batch in the middle holds the numbers before it, and the cells of its own lines."""
    file = importer.send("patients", patients(20_000))
    file.position = 10_000
    tracemalloc.start()
    try:
        lines, refused = steps.next_lines(file, steps.BATCH)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [lines[0].number, len(lines), refused] == [10_001, 500, {}]
    assert most < 10 * imports.MEGABYTE


@pytest.mark.parametrize("only_good", [True, False])
def test_a_worker_that_is_killed_leaves_whole_batches_and_the_next_one_goes_on(importer, monkeypatch, only_good):
    monkeypatch.setattr(steps, "BATCH", 10)
    checked = importer.check("patients", patients(35))
    importer.start(checked, only_good=only_good)
    if only_good:
        imports.work_on(checked.pk, caller=importer.caller, now=NOW)
    with monkeypatch.context() as patches:
        patches.setattr(steps, "_saved", _die)  # after the rows are written, before the commit
        with pytest.raises(KeyboardInterrupt):
            imports.work_on(checked.pk, caller=importer.caller, now=NOW)
    assert Patient.objects.count() == ImportedRow.objects.count() == (10 if only_good else 0)
    done = importer.work(checked)
    assert (done.status, done.new) == ("done", 35)
    assert Patient.objects.count() == ImportedRow.objects.count() == 35


def _die(file):
    raise KeyboardInterrupt


def test_a_file_whose_database_was_away_goes_on_later(importer):
    """The worker's connection is cut while it writes."""
    checked = importer.check("patients", patients(5))
    importer.start(checked)

    def cut(execute, sql, *arguments):
        if sql.startswith("INSERT INTO clinic_patient") or sql.startswith('INSERT INTO "clinic_patient"'):
            connection.connection.close()
        return execute(sql, *arguments)

    with connection.execute_wrapper(cut):
        assert imports.work_on(checked.pk, caller=importer.caller, now=NOW) is False
    connection.close()
    assert ImportFile.objects.get(pk=checked.pk).status == "writing"
    assert not Patient.objects.exists()
    assert importer.work(checked).new == 5


def import_twice_at_once(importer, kind, text):
    files = [importer.start(importer.check(kind, text)) for _ in range(2)]
    at_once([partial(work_to_the_end, importer, file) for file in files])
    return sorted(ImportFile.objects.values_list("new", "known", "status"))


def work_to_the_end(importer, file):
    while ImportFile.objects.get(pk=file.pk).is_in_work:
        imports.work_on(file.pk, caller=importer.caller, now=NOW)


@pytest.mark.parametrize("has_lock", [True, False])
@pytest.mark.parametrize("kind", ["patients", "services"])
def test_two_managers_import_the_same_file_at_once_and_each_line_is_imported_once(
    importer, monkeypatch, kind, has_lock
):
    if not has_lock:  # then the constraint alone decides
        monkeypatch.setattr("scheduling.booking.lock_conditions", lambda names: None)
    text = patients(40) if kind == "patients" else services(40)
    assert import_twice_at_once(importer, kind, text) == [(0, 40, "done"), (40, 0, "done")]
    assert AuditEvent.objects.filter(subtype="create").count() == 40


def test_without_the_lock_and_the_constraint_lines_are_imported_twice(importer, monkeypatch):
    """The control of the race."""
    monkeypatch.setattr("scheduling.booking.lock_conditions", lambda names: None)
    monkeypatch.setattr(steps, "_remember", lambda file, outcome: None)
    import_twice_at_once(importer, "services", services(40))
    assert HealthcareService.objects.count() == 80


def test_two_workers_never_do_the_same_batch(importer, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 5)
    file = importer.start(importer.check("patients", patients(40)), only_good=True)
    at_once([partial(work_to_the_end, importer, file)] * 2)
    done = ImportFile.objects.get()
    assert (done.new, done.known, done.position) == (40, 0, 40)


def test_an_error_stops_the_import_and_keeps_the_batches_before(importer, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 5)
    file = importer.start(importer.check("patients", patients(12)), only_good=True)
    imports.work_on(file.pk, caller=importer.caller, now=NOW)

    def fail(*args, **named):
        raise ValueError("a bug")

    with monkeypatch.context() as patches:
        patches.setattr(steps, "write", fail)
        assert not imports.work_on(file.pk, caller=importer.caller, now=NOW)
    assert ImportFile.objects.get().status == "failed"
    assert Patient.objects.count() == 5
    again = importer.run("patients", patients(12))
    assert (again.new, again.known) == (7, 5)
