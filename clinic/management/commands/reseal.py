from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand
from django.db import transaction

from clinic.authentication import AUTHENTICATOR_SECRET
from clinic.encryption import CannotDecrypt, decrypt, encrypt
from clinic.models import EventReceiver, Subscription
from clinic.models.receivers import WEBHOOK_SECRET
from clinic.models.subscription import encrypted_header


class Command(BaseCommand):
    help = "Encrypt the stored secrets again with the current SECRET_KEY, so that earlier ones can be removed."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        subscriptions, webhooks = sum(self._reseal_subscriptions()), sum(self._reseal_webhooks())
        authenticators = sum(self._reseal_authenticators())
        self.stdout.write(f"{subscriptions} subscriptions encrypted with the current SECRET_KEY.")
        self.stdout.write(f"{webhooks} webhooks encrypted with the current SECRET_KEY.")
        self.stdout.write(f"{authenticators} authenticators of staff encrypted with the current SECRET_KEY.")

    def _reseal_subscriptions(self) -> Iterator[bool]:
        for subscription in Subscription.objects.exclude(header=[]).select_for_update(no_key=True):
            try:
                subscription.header = [encrypted_header(name, value) for name, value in subscription.headers()]
            except CannotDecrypt:
                self.stderr.write(
                    f"{subscription.reference}: no key decrypts its headers. Its owner must send them again."
                )
                continue
            subscription.save(update_fields=["header"])
            yield True

    def _reseal_webhooks(self) -> Iterator[bool]:
        for webhook in EventReceiver.objects.filter(plugin="").select_for_update(no_key=True):
            try:
                webhook.secret, webhook.former_secret = (
                    encrypt(decrypt(secret, WEBHOOK_SECRET), WEBHOOK_SECRET) if secret else ""
                    for secret in (webhook.secret, webhook.former_secret)
                )
            except CannotDecrypt:
                self.stderr.write(f"{webhook}: no key decrypts its secret. Make a new one in Administration.")
                continue
            webhook.save(update_fields=["secret", "former_secret"])
            yield True

    def _reseal_authenticators(self) -> Iterator[bool]:
        rows = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).select_related("user")
        for authenticator in rows.select_for_update(no_key=True, of=("self",)):
            name = "secret" if authenticator.type == Authenticator.Type.TOTP else "seed"
            try:
                secret = decrypt(authenticator.data[name], AUTHENTICATOR_SECRET)
            except CannotDecrypt:
                self.stderr.write(
                    f"{authenticator.user}: no key decrypts the {authenticator}. Reset the second step of the account."
                )
                continue
            authenticator.data[name] = encrypt(secret, AUTHENTICATOR_SECRET)
            authenticator.save(update_fields=["data"])
            yield True
