"""Checks after a drill: rows, mail and logs are what the clients were told."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from clinic.doctor import CHECKS_OF_ROWS
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Communication, Event, Medium
from tests.drills.client_records import ClientRecords, RecordedVisit

OPEN = (Communication.Status.PREPARATION, Communication.Status.IN_PROGRESS)
SENT = Communication.Status.COMPLETED
NAMED = 5  # problems of one kind that are named


def problems_of_visits(records: ClientRecords, *, now: datetime) -> Iterator[str]:
    """Compare the visits with what their clients were told, then let the doctor look at them."""
    rows: dict[str, list[Appointment]] = defaultdict(list)
    for row in Appointment.objects.filter(comment__in=[visit.mark for visit in records.visits]):
        rows[row.comment].append(row)
    for visit in records.visits:
        yield from _problems_of_visit(visit, rows[visit.mark])
    for check in CHECKS_OF_ROWS:
        yield from check.findings(now)


def _problems_of_visit(visit: RecordedVisit, rows: list[Appointment]) -> Iterator[str]:
    if len(rows) > 1:
        yield f"doubled: {visit.mark} is {len(rows)} visits"
    if not visit.fhir_id:
        if rows:
            yield f"refused and yet taken: {visit.mark}"
        return
    row = next((row for row in rows if row.fhir_id == visit.fhir_id), None)
    if row is None or row.deleted_at is not None:
        yield f"lost: {visit.mark}, of which its client was told"
    elif row.status != visit.status and not (visit.status == "pending" and row.status == "cancelled"):
        yield f"lost: {visit.mark} is {row.status}, and its client was told {visit.status}"
    elif visit.status == "booked" and (row.start is None or instant(row.start) != visit.start):
        yield f"lost: {visit.mark} begins at {row.start}, and its client was told {visit.start}"


def problems_of_messages(records: ClientRecords, mails: Iterable[str], *, killed_workers: int) -> Iterator[str]:
    """Compare the messages with the visits, and the mail, by the Message-IDs' first parts, with the messages.

    Each worker that is killed may have had one message in hand, which is then sent again.
    """
    for fhir_id in (
        Communication.objects.filter(status__in=OPEN).exclude(event=Event.REMINDER).values_list("fhir_id", flat=True)
    ):
        yield f"never sent: the message {fhir_id}"
    yield from _problems_of_news(records)
    sent = Counter(mails)
    rows = Communication.objects.filter(medium=Medium.EMAIL, status=SENT, part_of=None)
    completed = set(rows.values_list("fhir_id", flat=True))
    yield from (
        f"lost: the message {fhir_id} was recorded as sent, and is no mail" for fhir_id in completed - set(sent)
    )
    yield from (f"sent, and not recorded as sent: the message {fhir_id}" for fhir_id in set(sent) - completed)
    again = sum(sent.values()) - len(sent)
    if again > killed_workers:
        twice = [fhir_id for fhir_id, times in sent.items() if times > 1]
        yield f"{again} messages were sent again, and {killed_workers} workers were killed: {', '.join(twice[:NAMED])}"


def _problems_of_news(records: ClientRecords) -> Iterator[str]:
    """Look for visits of which the patient does not know what their client was told."""
    events: dict[str, set[str]] = defaultdict(set)
    emails = Communication.objects.filter(medium=Medium.EMAIL, status=SENT)
    for fhir_id, event in emails.values_list("appointment__fhir_id", "event"):
        events[fhir_id].add(event)
    for visit in records.visits:
        known = events[visit.fhir_id]
        if visit.status == "booked" and not known & {Event.CONFIRMATION, Event.CHANGE}:
            yield f"no message says that {visit.mark} is booked"
        if visit.status == "cancelled" and known and Event.CANCELLATION not in known:
            yield f"no message says that {visit.mark} is cancelled"


def problems_of_logs(folder: Path) -> Iterator[str]:
    """Look for tracebacks and errors; a lost server is one quiet line."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for log in sorted(folder.glob("*-*.log")):
        for text in tracebacks(log.read_text(errors="replace")):
            kinds[re.sub(r"0x[0-9a-f]+|\d+", "N", text)].append(log.name)
    for text, logs in kinds.items():
        yield f"traceback, {len(logs)} times, such as in {logs[0]}: {text}"


def tracebacks(log: str) -> Iterator[str]:
    """Yield the error with which each traceback of a log ends; chained ones count once."""
    lines = log.splitlines()
    inside = False
    for number, line in enumerate(lines):
        if line.startswith(("Traceback (most recent call last)", "  + Exception Group Traceback")):
            inside = True
        elif inside and line and not line.startswith((" ", "During handling", "The above exception")):
            rest = [text for text in lines[number + 1 : number + 3] if text]
            if not any(text.startswith(("During handling", "The above exception")) for text in rest):
                yield line[:200]
            inside = False


def mails_in(folder: Path) -> list[str]:
    """Return the first part of the Message-ID of each mail in a folder, that of a message's row."""
    texts = (file.read_text(errors="replace") for file in sorted(folder.glob("*")))
    return [found for text in texts for found in re.findall(r"^Message-ID:\s*<([^@>]+)@", text, re.MULTILINE)]
