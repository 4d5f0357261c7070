"""What nobody else may read or make, but we have to read again: sealed by keys that are made of SECRET_KEY.

https://cryptography.io/en/latest/fernet/
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class CannotDecrypt(Exception):
    """It was sealed with a SECRET_KEY that is not known any more, for another purpose, or never."""


def encrypt(text: str, purpose: str) -> str:
    """Another one each time, of letters, digits, hyphens, underscores and equals signs."""
    return _keys(purpose).encrypt(text.encode()).decode()


def decrypt(sealed: str, purpose: str) -> str:
    """The text that was sealed for the purpose. Raises Unreadable."""
    try:
        return _keys(purpose).decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeEncodeError):
        raise CannotDecrypt from None


def _keys(purpose: str) -> MultiFernet:
    """The first seals, all unseal."""
    return MultiFernet([_fernet(each, purpose) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret: str, purpose: str) -> Fernet:
    key = salted_hmac(f"clinic.sealing.{purpose}", "", secret=secret, algorithm="sha256").digest()
    return Fernet(urlsafe_b64encode(key))
