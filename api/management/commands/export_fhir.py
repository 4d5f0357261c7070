"""`manage.py export_fhir FILE`: write everything as a FHIR Bundle that `load_fhir` reads again."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from scheduling import exports


class Command(BaseCommand):
    help = "Write all resources as a FHIR R4 Bundle (collection), as they are at one moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the file to write, or - for standard output")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        if file == "-":
            _write(sys.stdout.buffer)
            return
        try:
            with Path(file).open("xb") as stream:
                Path(file).chmod(0o600)  # it has the data of all patients
                count = _write(stream)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{count} resources written")


def _write(stream: BinaryIO) -> int:
    with transaction.atomic():
        exports.at_one_moment()
        return exports.write_bundle(stream.write)
