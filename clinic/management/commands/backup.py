from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic.backups import files, making
from clinic.backups.programs import BackupError


class Command(BaseCommand):
    help = "Write a backup of the database into BACKUP_DIR, and delete those there that are older than BACKUP_DAYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="another folder, where nothing is deleted")

    def handle(self, *args: Any, to: Path | None, **options: Any) -> None:
        now = timezone.now()
        try:
            dump = making.make(to or settings.BACKUP_DIR, now=now)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{dump}, {dump.stat().st_size} bytes")
        if to is None:
            for old in files.prune(settings.BACKUP_DIR, kept=settings.BACKUPS_KEPT, now=now):
                self.stdout.write(f"deleted {old}")
