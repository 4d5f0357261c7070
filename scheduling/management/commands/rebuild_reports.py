from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from scheduling import reports


class Command(BaseCommand):
    help = "Count the figures of the reports again, as after an import. The open time of days that are over stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("first", type=date.fromisoformat, help="The first day, such as 2026-01-31.")
        parser.add_argument("last", type=date.fromisoformat, help="The last day.")
        parser.add_argument("--open-time", action="store_true", help="Compute the open time too, by the hours of now.")

    def handle(self, *args: Any, first: date, last: date, open_time: bool, **options: Any) -> None:
        reports.count_again(first, last, now=timezone.now(), open_time=open_time)
        self.stdout.write("Counted.")
