"""Fills an empty database with a demo clinic."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import User
from demo.seed.absences import make_absence
from demo.seed.history import write_history
from demo.seed.payments import pay_at_desk
from demo.seed.recalls import make_recalls
from demo.seed.referrals import make_referrals
from demo.seed.rows import DemoRows
from demo.seed.visits import DemoVisits
from scheduling import booking, reports


class Command(BaseCommand):
    help = "Make the demo clinic, with visits of six weeks and of a year before, unless it is there. Only with DEMO on."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Everybody knows the demo's passwords: it is made only with DEMO on.")
        if User.objects.filter(is_demo=True).exists():
            self.stdout.write("The demo clinic is there already.")
            return
        now = timezone.now()
        with booking.all_or_nothing():
            rows = DemoRows(now)
            visits = DemoVisits(rows)
            visits.fill()
            write_history(visits.written, rows, now=now)
            make_referrals(rows)
            make_recalls(now)
        make_absence(now=now)
        pay_at_desk(now=now)
        reports.count_days(now=now)
        self.stdout.write(
            f"Made the demo clinic: {len(rows.sites)} sites, {len(rows.services)} services,"
            f" {len(rows.schedules)} schedules, {len(visits.written)} appointments, after a year of others."
        )
