"""What the web server runs: https://peps.python.org/pep-3333/"""

import os
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

CHUNK = 64 * 1024
MOST_FORGOTTEN = 64 * 1024 * 1024

Environ = dict[str, Any]


class WholeBodies:
    """Django sees all of a request's body, and what it leaves unread is not left to the connection.

    Django reads as much as Content-Length says, which is nothing where a body comes in chunks. And a server closes the
    connection on which it has answered before everything was read: the client's next request on it would fail, and who
    is still sending hears no answer. Both only where the server says that it knows the end: `wsgi.input_terminated`.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], most: int) -> None:
        """`most` is how much of a body in chunks is handed on; with one byte more Django knows that it is too large."""
        self.application = application
        self.most = most

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("wsgi.input_terminated"):
            return self.application(environ, start_response)
        sent = environ["wsgi.input"]
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            environ |= _measured(sent.read(self.most + 1))
        try:
            return self.application(environ, start_response)
        finally:
            _forget_the_rest(sent)


def _measured(body: bytes) -> Environ:
    return {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _forget_the_rest(sent: Any) -> None:
    for _ in range(MOST_FORGOTTEN // CHUNK):
        if not sent.read(CHUNK):
            break


application = WholeBodies(get_wsgi_application(), most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
