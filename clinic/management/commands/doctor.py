from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.doctor import CHECKS


class Command(BaseCommand):
    help = "Check the settings, what the clinic needs to run, and that its bookings are whole. Changes nothing."
    requires_system_checks = []  # they are one of the checks

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for check in CHECKS:
            findings = check.findings(timezone.now())
            self.stdout.write(f"{check.name}: {'see below' if findings else 'ok'}")
            for text in findings:
                self.stdout.write(f"  - {text}")
            found += len(findings)
        if found:
            raise CommandError(f"Found: {found}. docs/operate.md says more.")
