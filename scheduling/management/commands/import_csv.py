"""`manage.py import_csv KIND FILE`: import a list of another system."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from clinic.models import ImportFile, ImportKind
from scheduling import imports
from scheduling.access import Caller
from scheduling.errors import SchedulingError

OPERATOR = Caller(client="import_csv", scopes=("system/*.cruds",))
SHOWN = 20


class Command(BaseCommand):
    help = "Import patients, practitioners, services, hours or appointments from a CSV file, all of it or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=ImportKind.values)
        parser.add_argument("file", help="a CSV file, or - for standard input")
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=HEADER", help="the column that has a field"
        )
        parser.add_argument("--check", action="store_true", help="check the lines, and import nothing")
        parser.add_argument("--only-good", action="store_true", help="import the lines that are right")

    def handle(self, *args: Any, kind: str, file: str, column: list[str], **options: Any) -> None:
        try:
            sent = imports.send(_content(file), kind=kind, name=Path(file).name, caller=OPERATOR, now=timezone.now())
            columns = sent.columns | _chosen(sent, column)
            imports.check(sent.pk, columns, version=sent.version, caller=OPERATOR)
            checked = self._work(sent)
            self._report(checked)
            if options["check"]:
                return
            if checked.refused.exists() and not options["only_good"]:
                raise CommandError("Nothing was imported. Mend these lines, or use --only-good.")
            imports.start(sent.pk, only_good=options["only_good"], version=checked.version, caller=OPERATOR)
            done = self._work(checked)
        except SchedulingError as error:
            raise CommandError(str(error)) from error
        if done.status != ImportFile.Status.DONE:
            self._report(done)
            raise CommandError("Nothing was imported.")
        self.stdout.write(f"{done.new} lines imported, {done.known} known already.")

    def _work(self, file: ImportFile) -> ImportFile:
        """Do the current step of the file, with a progress bar on a terminal."""
        with tqdm(total=file.lines, unit=" lines", file=sys.stderr, disable=None, leave=False) as bar:
            while imports.work_on(file.pk, caller=OPERATOR, now=timezone.now()):
                bar.update(imports.file_of(file.pk, caller=OPERATOR).position - bar.n)
        done = imports.file_of(file.pk, caller=OPERATOR)
        if done.is_in_work:
            raise CommandError("The rows are in use by someone else. Try again in a moment.")
        return done

    def _report(self, file: ImportFile) -> None:
        refused = file.refused.count()
        self.stdout.write(f"{file.lines} lines: {file.new} new, {file.known} known already, {refused} refused.")
        for line in file.refused.all()[:SHOWN]:
            self.stderr.write(f"line {line.line}: {line.reason}")


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


def _chosen(file: ImportFile, columns: list[str]) -> dict[str, int]:
    """The numbers of columns that the command line names."""
    chosen: dict[str, int] = {}
    fields = [field.name for field in imports.FIELDS[file.kind]]
    for text in columns:
        name, _equals, header = text.partition("=")
        if name not in fields:
            raise CommandError(f"{name} is not one of {', '.join(fields)}.")
        if header not in file.header:
            raise CommandError(f"The file has no column {header}.")
        chosen[name] = file.header.index(header)
    return chosen
