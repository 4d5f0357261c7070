"""The private RSA key that signs OpenID Connect id tokens: the operator's, or one that the demo creates."""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

BITS = 2048


def check(name: str, pem: str) -> str:
    """Return the private RSA key of the setting `name` in PEM; empty if it is not set. Raises ImproperlyConfigured.

    Its lines may be separated by `\\n`, as some environments require.
    """
    text = pem.replace("\\n", "\n").strip()
    if not text:
        return ""
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < BITS:
        raise ImproperlyConfigured(f"{name} must be a private RSA key of {BITS} bits or more in PEM, not encrypted.")
    return text


def demo_key(directory: Path) -> str:
    """Return the key in this directory, which is created on the first call."""
    file = directory / "openid.pem"
    if not file.exists():
        directory.mkdir(parents=True, exist_ok=True)
        new = directory / f"openid-{os.getpid()}.pem"
        new.touch(mode=0o600)
        new.write_bytes(_new_key())
        with suppress(FileExistsError):  # another process was first, and its key counts
            os.link(new, file)
        new.unlink()
    return file.read_text()


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
