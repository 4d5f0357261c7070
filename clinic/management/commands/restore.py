from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic.backups import files, restoring
from clinic.backups.programs import BackupError


class Command(BaseCommand):
    help = "Restore a backup into the empty database of DATABASE_URL, migrate it, and check that it is whole."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the .dump; without it the newest in BACKUP_DIR")
        parser.add_argument(
            "--check", action="store_true", help="restore it into a scratch database instead, which is dropped again"
        )

    def handle(self, *args: Any, file: Path | None, check: bool, **options: Any) -> None:
        now = timezone.now()
        try:
            dump = file or files.newest(settings.BACKUP_DIR)
            with restoring.scratch_database(now=now) if check else nullcontext():
                manifest = restoring.restore(dump, now=now)
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(manifest.rows.values())
        self.stdout.write(f"{dump} of {manifest.made} is whole: {rows} rows in {len(manifest.rows)} tables.")
