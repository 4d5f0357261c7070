"""Check of the private RSA key that signs OpenID Connect id tokens."""

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
