from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from clinic.encryption import CannotDecrypt
from clinic.models import Subscription
from clinic.models.subscription import encrypted_header


class Command(BaseCommand):
    help = "Seal what lies sealed in the database with the SECRET_KEY of now, so that earlier ones can be forgotten."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        done = 0
        for subscription in Subscription.objects.exclude(header=[]).select_for_update(no_key=True):
            try:
                subscription.header = [encrypted_header(*each) for each in subscription.headers()]
            except CannotDecrypt:
                self.stderr.write(
                    f"{subscription.reference}: no key opens its headers. Its owner must send them again."
                )
                continue
            subscription.save(update_fields=["header"])
            done += 1
        self.stdout.write(f"{done} subscriptions sealed with the SECRET_KEY of now.")
