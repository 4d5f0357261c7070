"""The private key that signs OpenID Connect id tokens."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured

from clinic import openid_key

NAME = "OIDC_RSA_PRIVATE_KEY"
PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)


def pem(key, password=None):
    kept = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(*PEM, kept).decode()


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_key_is_taken_as_it_is(key):
    assert openid_key.check(NAME, pem(key)) == pem(key).strip()


def test_its_lines_may_be_divided_by_backslash_n(key):
    assert openid_key.check(NAME, pem(key).replace("\n", "\\n")) == pem(key).strip()


def test_the_key_is_optional():
    assert openid_key.check(NAME, "") == ""


def test_anything_else_stops_the_start(key):
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    public = key.public_key().public_bytes(PEM[0], serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    for wrong in ("secret", pem(short), pem(ec.generate_private_key(ec.SECP384R1())), pem(key, b"password"), public):
        with pytest.raises(ImproperlyConfigured, match=NAME):
            openid_key.check(NAME, wrong)
