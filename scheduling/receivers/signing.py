"""Signatures and secrets of webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""

import hmac
import secrets
from base64 import b64decode, b64encode
from datetime import datetime, timedelta

from clinic.encryption import decrypt, encrypt
from clinic.models import EventReceiver
from clinic.models.receivers import WEBHOOK_SECRET

PREFIX = "whsec_"
FORMER_SECRET_SIGNS = timedelta(days=1)


def renew_secret(webhook: EventReceiver, *, now: datetime) -> str:
    """Give the webhook a new secret and return it. The former one signs too for a day. The row is not saved."""
    secret = PREFIX + b64encode(secrets.token_bytes(24)).decode()
    if webhook.secret:
        webhook.former_secret, webhook.former_secret_ends = webhook.secret, now + FORMER_SECRET_SIGNS
    webhook.secret = encrypt(secret, WEBHOOK_SECRET)
    return secret


def signed_headers(webhook: EventReceiver, message_id: str, body: bytes, *, now: datetime) -> list[tuple[str, str]]:
    """Return the headers of a message, signed with each secret that counts. Raises CannotDecrypt."""
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [_signature(secret, signed) for secret in _secrets(webhook, now)]
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", " ".join(signatures)),
    ]


def _secrets(webhook: EventReceiver, now: datetime) -> list[str]:
    """The secrets that sign, the current one first."""
    former_counts = webhook.former_secret_ends is not None and now < webhook.former_secret_ends
    encrypted = [webhook.secret, webhook.former_secret] if former_counts else [webhook.secret]
    return [decrypt(secret, WEBHOOK_SECRET) for secret in encrypted]


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
