"""Use case: a copy of everything that the clinic keeps about one patient, as one file.

The file is a ZIP archive: a page to read, all resources as a FHIR Bundle, the rest as JSON, and the files that were
sent in. What it says of others is left out: other patients of a visit, and who of the staff has looked or written.
Internal notes are part of it, since they are about the person (https://eur-lex.europa.eu/eli/reg/2016/679/oj,
article 15).
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from mimetypes import guess_extension
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import BinaryField, Model, Q, QuerySet
from django.template.loader import render_to_string

from clinic import exact_json
from clinic.country import clinic_zone
from clinic.fhir import own_addresses
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Appointment, AuditEvent, CardPhoto, Patient, Resource, User
from scheduling import access
from scheduling.access import Caller
from scheduling.participants import actor_of
from scheduling.personal_data.person import Person
from scheduling.personal_data.summary import AuditLine, sections_of
from scheduling.personal_data.tables import DELETED, KEPT, Table

Json = dict[str, Any]

IN_MEMORY = 5_000_000  # bytes, before the file is written to disk
AT_ONCE = 500
# Tables of others' data or of copies, and of what is written in a way of its own.
APART = frozenset({"duplicates", "merges", "cards", "audit", "subscriptions", "staff-account"})
# Columns that would let somebody act as the person, and those that name somebody else.
SECRETS = frozenset({"password", "secret_digest", "code_digest", "access_token", "session", "url", "customer", "card"})


def export(patient: Patient, *, caller: Caller, now: datetime) -> IO[bytes]:
    """Return a ZIP archive with everything about the patient, and write the audit line. Raises Forbidden."""
    access.may_export(caller, patient)
    file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # whoever sends it closes it
    with transaction.atomic():
        access.audit_event(
            "export",
            AuditEvent.Action.EXECUTE,
            caller=caller,
            now=now,
            patient_id=patient.pk,
            target=patient.reference,
        ).save()
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            _write(archive, Person(patient), now)
    file.seek(0)
    return file


def _write(archive: ZipFile, person: Person, now: datetime) -> None:
    resources = list(_resources(person))
    lines = list(_audit_lines(person))
    page = {"patient": person.patient, "now": now.astimezone(clinic_zone()), "sections": sections_of(person, lines)}
    archive.writestr("read-me.html", render_to_string("personal_data/summary.html", page))
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
    archive.writestr("fhir.json", own_addresses.to_served(exact_json.dumps(bundle)))
    archive.writestr("other.json", exact_json.dumps(_others(person)))
    archive.writestr("audit.json", exact_json.dumps([line.as_json() for line in lines]))
    for photo in CardPhoto.objects.filter(coverage__beneficiary__in=person.keys).order_by("pk").iterator():
        archive.writestr(f"files/insurance-{photo.coverage_id}-{photo.side}.jpg", bytes(photo.image))
    numbers = count(1)
    for content, kind in _attachments(resources):
        archive.writestr(f"files/{next(numbers)}{guess_extension(kind) or '.bin'}", content)


def _resources(person: Person) -> Iterator[Json]:
    """Yield the resources about the person, in the order of their types."""
    found = {table.model: table for table in _tables() if issubclass(table.model, Resource)}
    for kind in RESOURCES.values():
        table = found.get(kind.model)
        if table is None:
            continue
        condition = table.condition(person)
        if table.name == "messages":  # with those that were sent, without those about others
            condition = Q(pk__in=_messages(person))
        for row in rows_of(kind).filter(condition).distinct().order_by("pk").iterator(chunk_size=AT_ONCE):
            yield to_fhir(_without_others(row, person))


def _messages(person: Person) -> set[int]:
    tables = [table for table in (*DELETED, *KEPT) if table.name in ("messages", "sent")]
    rows = (table.rows(person).exclude(patient__in=person.cared_for) for table in tables)
    return {key for each in rows for key in each.values_list("pk", flat=True)}


def _without_others(row: Any, person: Person) -> Any:
    if isinstance(row, Appointment):
        row.participant = [each for each in row.participant if not _is_of_others(actor_of(each), person)]
    return row


def _is_of_others(reference: str, person: Person) -> bool:
    return reference.partition("/")[0] in access.IDENTIFYING_TYPES and reference not in person.references


def _others(person: Person) -> Json:
    """The rows that are no resources, by the name of their table."""
    found = {
        table.name: [_plain(row) for row in table.rows(person).order_by("pk")]
        for table in _tables()
        if not issubclass(table.model, Resource)
    }
    account = person.account
    sessions = UserSession.objects.filter(user=account).order_by("pk") if account else ()
    used = [{"device": row.user_agent, "address": row.ip, "last_used": row.last_seen_at} for row in sessions]
    return {name: rows for name, rows in found.items() if rows} | ({"sessions": used} if used else {})


def _plain(row: Model) -> Json:
    """The columns of a row without secrets, and without who of the staff wrote it."""
    columns = (
        field
        for field in row._meta.concrete_fields
        if not isinstance(field, BinaryField) and field.name not in SECRETS and field.related_model is not User
    )
    return {field.attname: _text(getattr(row, field.attname)) for field in columns}


def _text(value: Any) -> Any:
    is_plain = value is None or isinstance(value, (bool, int, str, list, dict, datetime))
    return value if is_plain else str(value)


def _tables() -> Iterable[Table]:
    return (table for table in (*DELETED, *KEPT) if table.name not in APART and table.name != "sent")


def _audit_lines(person: Person) -> Iterator[AuditLine]:
    """Yield who did what with the data, and when. Each member of staff has a number in place of the name."""
    about = Q(patient__in=person.keys) | Q(patient=None, appointment__in=person.own_visits)
    rows: QuerySet[AuditEvent] = AuditEvent.objects.filter(about).order_by("recorded", "pk")
    numbers: dict[int, int] = {}
    for row in rows.iterator(chunk_size=AT_ONCE):
        is_staff = row.user_id is not None and (person.account is None or row.user_id != person.account.pk)
        number = numbers.setdefault(row.user_id, len(numbers) + 1) if is_staff and row.user_id else 0
        yield AuditLine(row, number)


def _attachments(value: Any) -> Iterator[tuple[bytes, str]]:
    """Yield the content and type of the files within resources."""
    if isinstance(value, list):
        for each in value:
            yield from _attachments(each)
    elif isinstance(value, dict):
        if isinstance(value.get("data"), str) and isinstance(value.get("contentType"), str):
            try:
                yield b64decode(value["data"], validate=True), value["contentType"]
            except (binascii.Error, ValueError):
                return
            return
        for each in value.values():
            yield from _attachments(each)
