"""The demo's private RSA key that signs OpenID Connect id tokens."""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from clinic.openid_key import BITS


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
