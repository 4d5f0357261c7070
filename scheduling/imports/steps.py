"""Steps of an import: a file is sent, its columns are chosen, its lines are checked, then written, and may be undone.

A check writes the lines and rolls them back, so it finds what the import would be refused for. Lines are done in
batches; each batch and the position in the file are saved in one transaction, so that a step which was stopped goes on
where it was. An import of all lines or none is one transaction.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.models import ImportedRow, ImportFile, ImportKind, RefusedLine
from clinic.parking import Parking
from scheduling import access, booking, interactions
from scheduling.access import Caller
from scheduling.errors import Invalid, NotFound, RuleBroken, ScheduleBusy, VersionConflict, WrittenMeanwhile
from scheduling.imports import columns as fields
from scheduling.imports.files import MOST_LINES, Table, read_table
from scheduling.imports.resources import Line
from scheduling.imports.writing import TYPES, Outcome, Repetitions, read_lines, write
from scheduling.interactions import BundleRefused, deletion_of

logger = logging.getLogger(__name__)

Status = ImportFile.Status
IN_WORK = (Status.CHECKING, Status.WRITING)
BATCH = 500
# A visit locks its calendar, and bookings wait for it: a batch of visits takes well under a second.
BATCHES = {ImportKind.APPOINTMENTS: 100, ImportKind.HOURS: MOST_LINES}
MOST_TOGETHER = 10_000  # lines of one transaction, so that one task ends within CELERY_TASK_TIME_LIMIT
MOST_UNDONE = 5_000
PROGRESS_KEPT = 3600


def send(data: bytes, *, kind: str, name: str, caller: Caller, now: datetime) -> ImportFile:
    """Save a file that a manager has sent, with a guess of its columns. Raises Forbidden, Invalid."""
    access.may_import(caller)
    table: Table = read_table(data)
    file = ImportFile(
        kind=kind,
        name=name[-ImportFile._meta.get_field("name").max_length :],  # type: ignore[operator]
        header=list(table.header),
        lines=table.count,
        columns=fields.guess(kind, table.header),
        language=translation.get_language() or "en",
        created=now,
        created_by=caller.user,
    )
    file.text = table.text
    file.save()
    return file


def file_of(file_id: int, *, caller: Caller) -> ImportFile:
    """The file with this primary key. Raises Forbidden, NotFound."""
    access.may_import(caller)
    file = ImportFile.objects.select_related("created_by").filter(pk=file_id).first()
    if file is None:
        raise NotFound
    return file


@transaction.atomic
def check(file_id: int, columns: Mapping[str, int], *, version: int, caller: Caller) -> ImportFile:
    """Start the check with these columns. Raises Invalid, VersionConflict."""
    file = _locked(file_id, version, caller)
    if absent := fields.missing(file.kind, columns):
        labels = ", ".join(str(field.label) for field in absent)
        raise Invalid(_("Choose a column for: %(fields)s.") % {"fields": labels})
    if file.status not in (Status.SENT, Status.CHECKED, Status.REFUSED):
        raise VersionConflict
    file.columns = dict(columns)
    return _start(file, Status.CHECKING)


@transaction.atomic
def start(file_id: int, *, only_good: bool, version: int, caller: Caller) -> ImportFile:
    """Start the import of a file that was checked. Raises RuleBroken, VersionConflict."""
    file = _locked(file_id, version, caller)
    if file.status != Status.CHECKED:
        raise VersionConflict
    if not only_good and file.refused.exists():
        raise RuleBroken(
            _("Some lines are refused. Correct them in the file, or import only the lines that are right.")
        )
    if not only_good and file.lines > MOST_TOGETHER:
        raise RuleBroken(
            _("All or nothing is for up to %(most)d lines. Import the lines that are right.") % {"most": MOST_TOGETHER}
        )
    file.only_good = only_good
    return _start(file, Status.WRITING)


def undo(file_id: int, *, version: int, caller: Caller, now: datetime) -> ImportFile:
    """Delete what the import has added, all or nothing: nothing of it may be in use or have changed since.

    Visits are cancelled one by one, since patients may know of them. Raises RuleBroken, VersionConflict.
    """
    with booking.all_or_nothing():
        file = _locked(file_id, version, caller)
        if not can_be_undone(file):
            raise VersionConflict
        rows = file.rows.filter(is_new=True)
        kind = TYPES[ImportKind(file.kind)]
        entries = [deletion_of(kind, fhir_id, frozenset({1})) for fhir_id in rows.values_list("fhir_id", flat=True)]
        try:
            request = interactions.WriteRequest(entries=entries)
            interactions.write_within(request, caller=access.importer_of(caller), now=now)
        except BundleRefused as refusal:
            raise RuleBroken(
                _("It cannot be undone: %(count)d of the imported records have been used or changed since.")
                % {"count": len(refusal.problems)}
            ) from refusal
        file.rows.all().delete()
        file.status = Status.UNDONE
        return _saved(file)


def can_be_undone(file: ImportFile) -> bool:
    """True if the page offers to undo the import."""
    return file.status == Status.DONE and file.kind != ImportKind.APPOINTMENTS and 0 < file.new <= MOST_UNDONE


def progress(file: ImportFile) -> int:
    """The number of lines that are done in the current step."""
    done: int = cache.get(_progress_key(file), 0) if file.status == Status.WRITING and not file.only_good else 0
    return min(max(file.position, done), file.lines)


def work(*, now: datetime) -> bool:
    """Do one batch of the oldest file in work that a manager has sent. Returns False if there is none."""
    waiting = ImportFile.objects.filter(status__in=IN_WORK, created_by__isnull=False)
    aside = Parking("work on imports", ImportFile, now=now)
    files = waiting.exclude(pk__in=aside.waiting).select_related("created_by").defer("encrypted")
    in_work: list[bool] = []

    def work_on_file(file: ImportFile) -> None:
        in_work.append(work_on(file.pk, caller=Caller(user=file.created_by), now=now))

    for file in files.order_by("created", "pk"):
        aside.process_each([file], work_on_file, writes=False)
        if any(in_work):
            return True
    return False


def work_on(file_id: int, *, caller: Caller, now: datetime) -> bool:
    """Do one batch of a file. Returns False if it is done, or others are at it or at its rows: then it is for later."""
    try:
        with booking.all_or_nothing():
            rows = ImportFile.objects.select_for_update(skip_locked=True, no_key=True)
            file = rows.filter(pk=file_id, status__in=IN_WORK).first()
            if file is None:
                return False
            caller = access.importer_of(caller)
            with translation.override(file.language):
                _do_batch(file, caller, now)
            return file.is_in_work
    except (ScheduleBusy, WrittenMeanwhile):
        return False
    except (OperationalError, InterfaceError) as error:  # PostgreSQL is away or the rows are locked: it goes on later
        logger.warning("The import %s waits (%s)", file_id, type(error.__cause__ or error).__name__)
        return False
    except Exception:
        logger.exception("The import %s has failed", file_id)
        with transaction.atomic():
            ImportFile.objects.filter(pk=file_id).update(status=Status.FAILED, finished=now)
        return False


def _do_batch(file: ImportFile, caller: Caller, now: datetime) -> None:
    together = file.status == Status.WRITING and not file.only_good
    size = file.lines if together else BATCHES.get(ImportKind(file.kind), BATCH)
    lines, refused = next_lines(file, size)
    with transaction.atomic():
        outcome = write(
            file.kind,
            lines,
            caller=caller,
            now=now,
            refused=refused,
            progress=_reported(file) if together else lambda count: None,
        )
        is_refused = together and bool(outcome.refused)
        if file.status == Status.CHECKING or is_refused:
            transaction.set_rollback(True)
        else:
            _remember(file, outcome)
    RefusedLine.objects.bulk_create(
        [RefusedLine(file=file, line=number, reason=reason) for number, reason in sorted(outcome.refused.items())]
    )
    file.position = min(file.position + size, file.lines)
    file.new += outcome.new
    file.known += outcome.known
    if file.position == file.lines or not lines:
        _finish(file, now, is_refused=is_refused)
    _saved(file)


def next_lines(file: ImportFile, size: int) -> tuple[list[Line], dict[int, str]]:
    """The lines of the next batch, and the reasons against those that have the number of an earlier line."""
    lines, repetitions = read_lines(file), Repetitions()
    repetitions.add(islice(lines, file.position))
    batch = list(islice(lines, size))
    return batch, repetitions.add(batch)


def _finish(file: ImportFile, now: datetime, *, is_refused: bool) -> None:
    if file.status == Status.CHECKING:
        file.status = Status.CHECKED
        return
    file.status = Status.REFUSED if is_refused else Status.DONE
    file.finished = now
    if is_refused:
        file.new = file.known = 0


def _remember(file: ImportFile, outcome: Outcome) -> None:
    ImportedRow.objects.bulk_create(
        [
            ImportedRow(
                kind=file.kind,
                number=number,
                fhir_id=result.reference.partition("/")[2],
                is_new=result.outcome == "created",
                file=file,
            )
            for number, result in outcome.resources
        ],
        batch_size=BATCH,
    )


def _locked(file_id: int, version: int, caller: Caller) -> ImportFile:
    access.may_import(caller)
    file = ImportFile.objects.select_for_update(no_key=True).filter(pk=file_id).first()
    if file is None:
        raise NotFound
    if file.version != version or file.is_in_work:
        raise VersionConflict
    return file


def _start(file: ImportFile, status: Status) -> ImportFile:
    """Start a step at the first line."""
    file.refused.all().delete()
    file.status = status
    file.position = file.new = file.known = 0
    cache.delete(_progress_key(file))
    return _saved(file)


def _saved(file: ImportFile) -> ImportFile:
    file.version += 1
    file.save(update_fields=["status", "columns", "only_good", "position", "new", "known", "version", "finished"])
    return file


def _reported(file: ImportFile) -> Callable[[int], None]:
    """The function that notes the progress of a transaction where the page can read it before the commit."""
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        if done % BATCH == 0:
            cache.set(_progress_key(file), done, PROGRESS_KEPT)

    return report


def _progress_key(file: ImportFile) -> str:
    return f"import-progress-{file.pk}"
