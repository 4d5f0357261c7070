from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from clinic.encryption import CannotDecrypt
from clinic.models import Subscription
from clinic.models.subscription import encrypted_header


class Command(BaseCommand):
    help = "Encrypt the stored secrets again with the current SECRET_KEY, so that earlier ones can be removed."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for subscription in Subscription.objects.exclude(header=[]).select_for_update(no_key=True):
            try:
                subscription.header = [encrypted_header(name, value) for name, value in subscription.headers()]
            except CannotDecrypt:
                self.stderr.write(
                    f"{subscription.reference}: no key decrypts its headers. Its owner must send them again."
                )
                continue
            subscription.save(update_fields=["header"])
            count += 1
        self.stdout.write(f"{count} subscriptions encrypted with the current SECRET_KEY.")
