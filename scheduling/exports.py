"""Everything as FHIR: one Bundle with all resources as they are at one moment, which a worker makes for owners."""

import logging
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from clinic import exact_json, service_types
from clinic.fhir import own_addresses
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Appointment, AuditEvent, FhirExport, FhirExportPart, Resource, Slot, Subscription
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import NotFound, RuleBroken

logger = logging.getLogger(__name__)

Status = FhirExport.Status
AT_ONCE = 500  # rows that are read with one statement
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
# A hold ends in minutes. A subscription has secrets and stays with its server.
HOLD = {Appointment: Q(hold_expires_at__isnull=False), Slot: Q(hold_expires_at__isnull=False)}
STAYS = (Subscription,)
PART_BYTES = 4 * 1024 * 1024
MOST_ATTEMPTS = 3  # of a worker that is stopped each time
KEPT = timedelta(days=1)
PROGRESS_KEPT = 3600


def write_bundle(write: Callable[[bytes], object], progress: Callable[[int], object] = lambda count: None) -> int:
    """Write all resources as a FHIR Bundle (collection) in the caller's transaction. Returns how many there are.

    The last is the CodeSystem of the clinic's own service types, if it has any.
    """
    count = 0
    write(b'{"resourceType": "Bundle", "type": "collection", "entry": [')
    for count, resource in enumerate(_contents(), start=1):
        write(b",\n" if count > 1 else b"\n")
        write(own_addresses.to_served(exact_json.dumps({"resource": resource})))
        if count % AT_ONCE == 0:
            progress(count)
    write(b"\n]}\n")
    return count


def at_one_moment() -> None:
    """Let the caller's transaction, which has not read anything yet, see all rows as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_MOMENT)


def _rows() -> Iterator[QuerySet[Resource]]:
    """Yield the rows that are exported, of one type after the other."""
    for kind in RESOURCES.values():
        if kind.from_fhir is not None and kind.model not in STAYS:
            yield rows_of(kind).filter(deleted_at=None).exclude(HOLD.get(kind.model, Q(pk__in=[])))


def _contents() -> Iterator[dict[str, Any]]:
    for rows in _rows():
        yield from map(to_fhir, rows.order_by("pk").iterator(chunk_size=AT_ONCE))
    if types := service_types.own_code_system():
        yield types


def start(*, caller: Caller, now: datetime) -> FhirExport:
    """Have a worker make the file. Raises Forbidden, RuleBroken."""
    access.may_export_all(caller)
    try:
        with transaction.atomic():
            export = FhirExport.objects.create(created=now, created_by=caller.user)
            _note("start-export", caller, now)
    except IntegrityError:  # fhir_export_one_at_a_time
        raise RuleBroken(_("A file is being made already. Wait until it is ready.")) from None
    return export


def exports_of(caller: Caller, *, now: datetime) -> QuerySet[FhirExport]:
    """The files that are being made or have not ended, the latest first. Raises Forbidden."""
    access.may_export_all(caller)
    return FhirExport.objects.filter(Q(expires=None) | Q(expires__gt=now)).select_related("created_by")


def progress_of(export: FhirExport) -> tuple[int, int]:
    """Return the number of resources written, and about how many there are; (0, 0) before a worker has begun."""
    done, total = cache.get(_progress_key(export), (0, 0))
    return done, max(done, total)


def download(export_id: int, *, caller: Caller, now: datetime) -> Iterator[bytes]:
    """The file in pieces. That it was downloaded is written down. Raises Forbidden, NotFound."""
    export = exports_of(caller, now=now).filter(pk=export_id, status=Status.DONE).first()
    if export is None:
        raise NotFound
    _note("download-export", caller, now)
    return _pieces(export)


def _pieces(export: FhirExport) -> Iterator[bytes]:
    number = 0
    while part := export.parts.filter(number=number).first():
        yield zlib.decompress(part.content)
        number += 1


def work(*, now: datetime) -> bool:
    """Make the file that waits. Returns False if there is none, or another worker is at it."""
    export = _claimed(now)
    if export is None:
        return False
    try:
        with transaction.atomic():
            at_one_moment()
            locked = FhirExport.objects.select_for_update(skip_locked=True, no_key=True)
            found = locked.filter(pk=export.pk, status=Status.WAITING).first()
            if found is None:
                return False
            _make(found, now)
    except (OperationalError, InterfaceError) as error:  # PostgreSQL is away: it is made later
        logger.warning("The export %s waits (%s)", export.pk, type(error.__cause__ or error).__name__)
        return False
    except Exception:
        logger.exception("The export %s has failed", export.pk)
        _fail(export, now)
    return True


def _claimed(now: datetime) -> FhirExport | None:
    """The file that waits, with one more attempt; None if there is none or a worker is at it."""
    with transaction.atomic():
        rows = FhirExport.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        export = rows.filter(status=Status.WAITING).first()
        if export is None:
            return None
        if export.attempts >= MOST_ATTEMPTS:
            logger.error("The export %s was stopped %s times", export.pk, export.attempts)
            _fail(export, now)
            return None
        FhirExport.objects.filter(pk=export.pk).update(attempts=F("attempts") + 1)
        return export


def _fail(export: FhirExport, now: datetime) -> None:
    FhirExport.objects.filter(pk=export.pk).update(status=Status.FAILED, finished=now, expires=now + KEPT)


def _make(export: FhirExport, now: datetime) -> None:
    total = sum(rows.count() for rows in _rows())
    parts = _Parts(export)
    key = _progress_key(export)
    cache.set(key, (0, total), PROGRESS_KEPT)
    export.resources = write_bundle(parts.write, lambda done: cache.set(key, (done, total), PROGRESS_KEPT))
    parts.flush()
    export.size, export.status, export.finished, export.expires = parts.size, Status.DONE, now, now + KEPT
    export.save(update_fields=["resources", "size", "status", "finished", "expires"])


class _Parts:
    """A stream that stores what is written to it as the parts of a file."""

    def __init__(self, export: FhirExport) -> None:
        self._export = export
        self._buffer = bytearray()
        self._number = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._buffer:
            return
        part = FhirExportPart(export=self._export, number=self._number)
        part.content = zlib.compress(self._buffer)
        part.save(force_insert=True)
        self.size += len(self._buffer)
        self._number += 1
        self._buffer.clear()


def _note(subtype: str, caller: Caller, now: datetime) -> None:
    access.audit_event(subtype, AuditEvent.Action.EXECUTE, caller=caller, now=now).save(force_insert=True)


def _progress_key(export: FhirExport) -> str:
    return f"export-progress-{export.pk}"
