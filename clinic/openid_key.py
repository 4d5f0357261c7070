"""The key that says who somebody is (OpenID Connect): the operator's, or one that the demo makes for itself."""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

BITS = 2048


def check(name: str, pem: str) -> str:
    """A private RSA key in PEM, whose lines may be divided by `\\n`; empty for none."""
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
    """The key of this directory, made when it is asked for first."""
    file = directory / "openid.pem"
    if not file.exists():
        directory.mkdir(parents=True, exist_ok=True)
        made = directory / f"openid-{os.getpid()}.pem"
        made.touch(mode=0o600)
        made.write_bytes(_new_key())
        with suppress(FileExistsError):  # another process was first: there is one key
            os.link(made, file)
        made.unlink()
    return file.read_text()


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
