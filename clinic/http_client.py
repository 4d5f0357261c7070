"""HTTP requests to addresses that clients have given, protected against requests into the private network (SSRF).

A name is resolved once, the resulting addresses are checked, and the connection uses the checked address, so that a DNS
answer cannot change in between. Redirects and proxies are not followed, and the whole request has one deadline. The
hosts in `OUTGOING_ALLOWED_HOSTS` are trusted: they may be private, and without TLS.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore
from django.conf import settings

TIMEOUT = 5.0  # seconds, for all of a request
MOST_BYTES = 256 * 1024


class NotAllowed(Exception):
    """The address is not allowed. The message is a sentence that says what is needed."""


class Unreachable(Exception):
    """Raised when there was no response in time. The message is a sentence without secrets."""


@dataclass(frozen=True)
class OutgoingResponse:
    """The response to an outgoing request. The body is empty unless it was requested."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def check_url(url: str) -> None:
    """Raise NotAllowed for an address that is never allowed, whatever its name resolves to."""
    parts = _parts(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise NotAllowed("An address such as https://example.org/path is needed.")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("An address carries no user and password: use a header.")
    if _is_trusted(host):
        return
    if parts.scheme != "https":
        raise NotAllowed("The address must begin with https://.")
    if host == "localhost" or host.endswith(".localhost"):
        raise NotAllowed("The address is of a private network.")
    if (address := _literal(host)) is not None:
        _check_address(address)


def request(
    method: str,
    url: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    content: bytes = b"",
    reads: bool = False,
    timeout: float = TIMEOUT,
) -> OutgoingResponse:
    """Send a request and return the response, whatever its status; `reads` reads its body too.

    Raises NotAllowed, Unreachable.
    """
    check_url(url)
    with httpcore.ConnectionPool(ssl_context=_tls_context(), network_backend=_CheckedBackend(timeout)) as pool:
        try:
            sent = [("Host", _parts(url).netloc), ("Content-Length", str(len(content))), *headers]
            with pool.stream(method, url, headers=sent, content=content) as response:
                named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return OutgoingResponse(response.status, named, _body(response) if reads else b"")
        except httpcore.TimeoutException:
            raise Unreachable("No answer came in time.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise Unreachable(f"The connection failed ({type(error).__name__}).") from None


def certificate_end(url: str) -> datetime:
    """Return when the TLS certificate of the address ends. Raises NotAllowed, Unreachable for an invalid one too."""
    check_url(url)
    parts = _parts(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        with (
            socket.create_connection((_resolved(host, port), port), timeout=TIMEOUT) as plain,
            _tls_context().wrap_socket(plain, server_hostname=host) as connection,
        ):
            certificate = connection.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"The certificate is not valid: {error.verify_message}.") from None
    except OSError as error:
        raise Unreachable(f"The connection failed ({type(error).__name__}).") from None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


class _CheckedBackend(httpcore.NetworkBackend):
    """A network backend that checks each address before it connects, and keeps the deadline."""

    def __init__(self, seconds: float) -> None:
        self._backend = httpcore.SyncBackend()
        self._deadline = time.monotonic() + seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = _resolved(host, port)
        stream = self._backend.connect_tcp(address, port, _left(self._deadline), local_address, socket_options)
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A stream that ends at the deadline, even if the other side keeps sending slowly."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def _resolved(host: str, port: int) -> str:
    """Return an address of the host. All its addresses must be public, unless the host is trusted."""
    addresses = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not _is_trusted(host):
        for address in addresses:
            _check_address(ip_address(address))
    return addresses[0]


def _check_address(address: IPv4Address | IPv6Address) -> None:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if not inner.is_global or inner.is_multicast:
        raise NotAllowed("The address is of a private network.")


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host is written as, or None. Forms such as 0x7f.1 are left to the resolver."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotAllowed("An address such as https://example.org/path is needed.") from None
    return parts


def _is_trusted(host: str) -> bool:
    return host in settings.OUTGOING_ALLOWED_HOSTS


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _body(response: httpcore.Response) -> bytes:
    body = b""
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unreachable(f"The answer is longer than {MOST_BYTES:,} bytes.")
    return body
