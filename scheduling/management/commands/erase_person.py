"""`manage.py erase_person ID --confirm`: delete everything about one patient."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import Patient
from scheduling import personal_data
from scheduling.access import Caller
from scheduling.errors import SchedulingError

OPERATOR = Caller(client="erase_person", scopes=("system/*.cruds",))


class Command(BaseCommand):
    help = "Delete everything about one patient; without --confirm, say what would be deleted and what would stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the id of the patient's record")
        parser.add_argument("--confirm", action="store_true", help="delete it: this cannot be undone")

    def handle(self, *args: Any, id: str, confirm: bool, **options: Any) -> None:
        now = timezone.now()
        if confirm:
            try:
                done = personal_data.erase(id, caller=OPERATOR, now=now)
            except SchedulingError as refusal:
                raise CommandError("\n".join(issue.text for issue in refusal.issues)) from None
            report = personal_data.report_of(done)
            self._write(report.deleted, report.kept)
            return
        patient = Patient.objects.filter(fhir_id=id, deleted_at=None).first()
        if patient is None:
            raise CommandError(f"There is no Patient/{id}.")
        erasable = personal_data.preview(patient, now=now)
        self._write(erasable.deleted, erasable.kept)
        for text in erasable.obstacles:
            self.stdout.write(f"Not yet: {text}")
        self.stdout.write("Nothing was deleted. Use --confirm to delete it.")

    def _write(self, deleted: Any, kept: Any) -> None:
        for table, count in deleted:
            self.stdout.write(f"deleted: {table.words}: {count}")
        for table, count in kept:
            self.stdout.write(f"kept: {table.words}: {count}. {table.why}")
