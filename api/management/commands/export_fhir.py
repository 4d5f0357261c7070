"""`manage.py export_fhir FILE`: write everything as a FHIR Bundle that `load_fhir` reads again."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import Q

from clinic import exact_json
from clinic.fhir import own_addresses
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Appointment, Resource, Slot, Subscription

AT_ONCE = 500  # rows that are read with one statement
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# A hold ends in minutes. A subscription has secrets and stays with its server.
HOLD = {Appointment: Q(hold_expires_at__isnull=False), Slot: Q(hold_expires_at__isnull=False)}
STAYS = (Subscription,)


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
    count = 0
    stream.write(b'{"resourceType": "Bundle", "type": "collection", "entry": [')
    for count, resource in enumerate(_resources(), start=1):
        stream.write(b",\n" if count > 1 else b"\n")
        stream.write(own_addresses.to_told(exact_json.dumps({"resource": to_fhir(resource)})))
    stream.write(b"\n]}\n")
    return count


def _resources() -> Iterator[Resource]:
    """Yield the rows of all types that can be written, as they are at one moment."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(ONE_MOMENT)
        for kind in RESOURCES.values():
            if kind.from_fhir is None or kind.model in STAYS:
                continue
            rows = rows_of(kind).filter(deleted_at=None).exclude(HOLD.get(kind.model, Q(pk__in=[])))
            yield from rows.order_by("pk").iterator(chunk_size=AT_ONCE)
