"""`manage.py export_person ID FILE`: write everything about one patient to a file."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import Patient
from scheduling import personal_data
from scheduling.access import Caller

OPERATOR = Caller(client="export_person", scopes=("system/*.cruds",))


class Command(BaseCommand):
    help = "Write everything that is kept about one patient as a ZIP archive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the id of the patient's record")
        parser.add_argument("file", help="the file to write, such as person.zip")

    def handle(self, *args: Any, id: str, file: str, **options: Any) -> None:
        patient = Patient.objects.filter(fhir_id=id, deleted_at=None).first()
        if patient is None:
            raise CommandError(f"There is no Patient/{id}.")
        try:
            with Path(file).open("xb") as target:
                Path(file).chmod(0o600)
                with personal_data.export(patient, caller=OPERATOR, now=timezone.now()) as content:
                    shutil.copyfileobj(content, target)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Everything about Patient/{id} is in {file}.")
