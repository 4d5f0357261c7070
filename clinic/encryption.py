"""Encryption of texts with keys derived from SECRET_KEY: https://cryptography.io/en/latest/fernet/"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class CannotDecrypt(Exception):
    """The text was encrypted with an unknown SECRET_KEY or for another purpose, or was not encrypted."""


def encrypt(text: str, purpose: str) -> str:
    """Return the encrypted text, which differs each time. It has letters, digits, hyphens, underscores and `=`."""
    return encrypt_bytes(text.encode(), purpose).decode()


def decrypt(encrypted: str, purpose: str) -> str:
    """Return the text that was encrypted for the purpose. Raises CannotDecrypt."""
    try:
        return decrypt_bytes(encrypted.encode(), purpose).decode()
    except UnicodeEncodeError:
        raise CannotDecrypt from None


def encrypt_bytes(content: bytes, purpose: str) -> bytes:
    """Return the encrypted bytes, which are letters, digits, hyphens, underscores and `=`."""
    return _keys(purpose).encrypt(content)


def decrypt_bytes(encrypted: bytes, purpose: str) -> bytes:
    """Return the bytes that were encrypted for the purpose. Raises CannotDecrypt."""
    try:
        return _keys(purpose).decrypt(encrypted)
    except InvalidToken:
        raise CannotDecrypt from None


def _keys(purpose: str) -> MultiFernet:
    """Return the keys of a purpose. The first encrypts, all decrypt."""
    return MultiFernet([_fernet(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret: str, purpose: str) -> Fernet:
    # The salt must not change: it is a part of the keys of stored texts.
    key = salted_hmac(f"clinic.sealing.{purpose}", "", secret=secret, algorithm="sha256").digest()
    return Fernet(urlsafe_b64encode(key))
