"""The certificates of subscribers and webhooks: doctor names those that are not valid, or end soon."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from clinic import doctor, http_client
from clinic.models import EventReceiver
from tests.factories import SubscriptionFactory

NOW = timezone.now()


def certificate(ends: datetime, folder: Path) -> Path:
    """Write a certificate of localhost that signs itself, with its key, and return its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Ends {ends}")])
    signed = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{ends:%Y%m%d}.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@contextmanager
def served(certificate: Path) -> Iterator[int]:
    """Accept TLS connections with the certificate, and yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # the server is closed
                    return
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def findings() -> list[str]:
    [check] = [check for check in doctor.CHECKS if check.name == "certificates"]
    return check.findings(NOW)


@pytest.mark.django_db
def test_certificates_that_end_soon_or_are_not_valid_are_named_by_their_host(settings, monkeypatch, tmp_path):
    settings.OUTGOING_ALLOWED_HOSTS = ["localhost"]
    good, soon = (certificate(NOW + timedelta(days=days), tmp_path) for days in (60, 5))
    trusted = ssl.create_default_context()
    for path in (good, soon):
        trusted.load_verify_locations(path)
    monkeypatch.setattr(http_client, "_tls_context", lambda: trusted)
    unknown = certificate(NOW + timedelta(days=70), tmp_path)
    with served(good) as well, served(soon) as ending, served(unknown) as untrusted:
        SubscriptionFactory(endpoint=f"https://localhost:{well}/hook", status="active")
        SubscriptionFactory(endpoint=f"https://localhost:{ending}/a-secret-path", status="active")
        SubscriptionFactory(endpoint="https://localhost:1/hook", status="off")
        SubscriptionFactory(endpoint="http://localhost:1/hook", status="active")
        for active in (True, False):
            EventReceiver.objects.create(
                name="LIS", url=f"https://localhost:{untrusted if active else 1}/", kinds=["booked"], active=active
            )
        found = findings()
    day = (NOW + timedelta(days=5)).astimezone(UTC)
    assert sorted(found) == sorted(
        [
            f"localhost:{ending}: the certificate expires on {day:%Y-%m-%d}. After that, this subscriber gets no"
            " notifications.",
            f"localhost:{untrusted}: The certificate is not valid: self-signed certificate.",
        ]
    )


@pytest.mark.django_db
def test_a_subscriber_that_is_away_or_not_allowed(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["localhost"]
    SubscriptionFactory(endpoint="https://localhost:1/hook", status="active")
    SubscriptionFactory(endpoint="https://10.0.0.1/hook", status="active")
    assert findings() == [
        "10.0.0.1: The address is of a private network.",
        "localhost:1: The connection failed (ConnectionRefusedError).",
    ]
