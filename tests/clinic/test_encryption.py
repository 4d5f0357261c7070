"""Encryption of texts, of the headers of subscriptions, and of the secrets of webhooks."""

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command

from clinic.encryption import CannotDecrypt, decrypt, encrypt
from clinic.models import EventReceiver, PastVersion
from clinic.models.receivers import WEBHOOK_SECRET
from clinic.models.subscription import encrypted_header
from tests.factories import SubscriptionFactory

SECRET = "Bearer very-secret"


def test_encrypted_text_differs_each_time_and_reveals_nothing():
    first, second = encrypt(SECRET, "test"), encrypt(SECRET, "test")
    assert first != second
    assert "secret" not in first
    assert decrypt(first, "test") == decrypt(second, "test") == SECRET


def test_text_of_an_earlier_key_is_decrypted_while_the_key_is_a_fallback(settings):
    sealed = encrypt(SECRET, "test")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert decrypt(sealed, "test") == SECRET
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(CannotDecrypt):
        decrypt(sealed, "test")


@pytest.mark.parametrize("text", ["", SECRET, "\u00e4", "\ud800", encrypt(SECRET, "another purpose")])
def test_other_text_cannot_be_decrypted(text):
    with pytest.raises(CannotDecrypt):
        decrypt(text, "test")


def test_reseal_encrypts_headers_again_and_names_those_that_no_key_decrypts(db, settings):
    ours = SubscriptionFactory(header=[encrypted_header("Authorization", SECRET)])
    lost = SubscriptionFactory(header=["Authorization: sealed-with-another-key"])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    errors = StringIO()
    call_command("reseal", stdout=StringIO(), stderr=errors)
    settings.SECRET_KEY_FALLBACKS = []
    ours.refresh_from_db()
    assert (ours.headers(), ours.version) == ([("Authorization", SECRET)], 1)
    assert lost.reference in errors.getvalue()


def test_reseal_encrypts_the_secrets_of_webhooks_again(db, settings):
    webhook = EventReceiver.objects.create(name="Ours", kinds=[], secret=encrypt(SECRET, WEBHOOK_SECRET))
    EventReceiver.objects.create(name="Lost", kinds=[], secret="sealed-with-another-key")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    errors = StringIO()
    call_command("reseal", stdout=StringIO(), stderr=errors)
    settings.SECRET_KEY_FALLBACKS = []
    webhook.refresh_from_db()
    assert decrypt(webhook.secret, WEBHOOK_SECRET) == SECRET
    assert "Lost: no key decrypts its secret." in errors.getvalue()


def test_the_migration_encrypts_earlier_headers_in_past_versions_too(db):
    row = SubscriptionFactory(header=[f"Authorization: {SECRET}"])
    type(row).objects.filter(pk=row.pk).update(version=2)
    migration = import_module("clinic.migrations.0012_operations")
    migration.encrypt_headers(apps, None)
    row.refresh_from_db()
    assert row.headers() == [("Authorization", SECRET)]
    assert SECRET not in str(PastVersion.objects.get().row)
    migration.decrypt_headers(apps, None)
    row.refresh_from_db()
    assert row.header == PastVersion.objects.get().row["header"] == [f"Authorization: {SECRET}"]
