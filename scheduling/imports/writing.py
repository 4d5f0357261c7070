"""Writing of lines by the use cases of other software, and the lines that these refuse."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import ImportFile, ImportKind
from scheduling import booking, interactions
from scheduling.access import Caller
from scheduling.imports import resources
from scheduling.imports.columns import FIELDS, missing
from scheduling.imports.files import cell_of, lines_of
from scheduling.imports.known import KnownRows, known_numbers
from scheduling.imports.resources import Line
from scheduling.imports.values import Unreadable
from scheduling.interactions import BundleRefused, Entry, WriteResult

# The type of the resource that carries a line's number.
TYPES = {
    ImportKind.PATIENTS: "Patient",
    ImportKind.PRACTITIONERS: "Practitioner",
    ImportKind.SERVICES: "HealthcareService",
    ImportKind.HOURS: "Schedule",
    ImportKind.APPOINTMENTS: "Appointment",
}


@dataclass(slots=True)
class Outcome:
    """The outcome of some lines: refused ones with the reason, and the ids of the resources of the others by number.

    `known` were imported before, or are patients who were registered already. `resources` are to be remembered.
    """

    new: int = 0
    known: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    resources: list[tuple[str, WriteResult]] = field(default_factory=list)


def read_lines(file: ImportFile) -> Iterator[Line]:
    """Yield the lines of a file with the chosen columns."""
    columns = {each.name: file.columns.get(each.name) for each in FIELDS[file.kind]}
    for number, cells in enumerate(lines_of(file.text), start=1):
        found = {name: cell_of(cells, column) for name, column in columns.items()}
        yield Line(number, {name: text for name, text in found.items() if text})


class Repetitions:
    """The numbers of the lines before, each with its first line."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}

    def add(self, lines: Iterable[Line]) -> dict[int, str]:
        """Return the reasons against those of these lines that have the number of an earlier line."""
        reasons: dict[int, str] = {}
        for line in lines:
            number = line.cells.get("number", "")
            if number and self._first.setdefault(number, line.number) != line.number:
                text = _("Line %(line)d has the number %(number)s already.")
                reasons[line.number] = text % {"line": self._first[number], "number": number}
        return reasons


def write(
    kind: str,
    lines: Sequence[Line],
    *,
    caller: Caller,
    now: datetime,
    refused: dict[int, str] | None = None,
    progress: Callable[[int], object] = lambda count: None,
) -> Outcome:
    """Write the lines that can be written, in the caller's transaction. `refused` are reasons that are known already.

    No two files of a kind are written at once, so that none of their lines is written twice. Raises ScheduleBusy.
    """
    booking.lock_conditions([f"import {kind}"])
    batch = _Batch(kind, lines, now)
    batch.outcome.refused |= {number: text for number, text in (refused or {}).items() if number in batch.numbers}
    batch.read()
    batch.write(caller, progress)
    return batch.outcome


class _Batch:
    """The lines that are written together. `groups` are the lines of each resource: one, or all hours of a calendar."""

    def __init__(self, kind: str, lines: Sequence[Line], now: datetime) -> None:
        self.kind = kind
        self.lines = lines
        self.now = now
        self.outcome = Outcome()
        self.numbers = {line.number for line in lines}
        self.groups: dict[int, tuple[str, list[Line]]] = {}
        self.entries: dict[int, list[Entry]] = {}

    def read(self) -> None:
        """Read the lines that are new as resources; refuse those that cannot be read."""
        rows = KnownRows({line.cells["patient"] for line in self.lines if "patient" in line.cells})
        for number, lines in self._grouped(rows).items():
            self.groups[lines[0].number] = (number, lines)
        before = known_numbers(self.kind, [number for number, _lines in self.groups.values()])
        for first, (number, lines) in self.groups.items():
            if number in before:
                self.outcome.known += len(lines)
                continue
            try:
                self.entries[first] = self._entries(lines, rows)
            except Unreadable as error:
                self._refuse(first, str(error))

    def write(self, caller: Caller, progress: Callable[[int], object]) -> None:
        """Write the resources; those that are refused are left out, and the others written without them."""
        while self.entries:
            entries = [entry for of_line in self.entries.values() for entry in of_line]
            try:
                with transaction.atomic():
                    request = interactions.WriteRequest(entries=entries, progress=progress)
                    written = interactions.write_within(request, caller=caller, now=self.now)
            except BundleRefused as refusal:
                for problem in refusal.problems:
                    self._refuse(problem.index, " ".join(issue.text for issue in problem.issues))
            else:
                self._note(written)
                return

    def _grouped(self, rows: KnownRows) -> dict[str, list[Line]]:
        groups: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.number in self.outcome.refused:
                continue
            try:
                _require_fields(self.kind, line)
                groups[self._number(line, rows)].append(line)
            except Unreadable as error:
                self.outcome.refused[line.number] = str(error)
        return groups

    def _number(self, line: Line, rows: KnownRows) -> str:
        if self.kind != ImportKind.HOURS:
            return line.cells["number"]
        site = rows.site(line.cells.get("site", ""))
        return f"{rows.practitioner(line.cells['practitioner']).fhir_id} {site.fhir_id if site else ''}".strip()

    def _entries(self, lines: Sequence[Line], rows: KnownRows) -> list[Entry]:
        match self.kind:
            case ImportKind.PATIENTS:
                return resources.patient(lines[0])
            case ImportKind.PRACTITIONERS:
                return resources.practitioner(lines[0])
            case ImportKind.SERVICES:
                return resources.service(lines[0], rows)
            case ImportKind.HOURS:
                return resources.calendar(lines, rows)
            case _:
                return resources.visit(lines[0], rows, now=self.now)

    def _refuse(self, first: int, reason: str) -> None:
        """Refuse the resource of this line, and so all lines of it."""
        self.entries.pop(first, None)
        for line in self.groups[first][1]:
            self.outcome.refused.setdefault(line.number, reason)

    def _note(self, written: Iterable[WriteResult]) -> None:
        for result in written:
            number, lines = self.groups[result.index]
            if not result.reference.startswith(f"{TYPES[ImportKind(self.kind)]}/"):
                continue
            self.outcome.resources.append((number, result))
            if result.outcome == "created":
                self.outcome.new += len(lines)
            else:
                self.outcome.known += len(lines)


def _require_fields(kind: str, line: Line) -> None:
    """Raise Unreadable for a line without a required cell."""
    if absent := missing(kind, line.cells):
        raise Unreadable(_("It has no “%(field)s”.") % {"field": absent[0].label})
