"""The WSGI application: https://peps.python.org/pep-3333/"""

import gc
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

CHUNK = 64 * 1024
MOST_DISCARDED = 64 * 1024 * 1024

Environ = dict[str, Any]


class WholeBodies:
    """A WSGI application that passes chunked bodies to Django, and reads the rest of a body that Django did not read.

    Django reads as many bytes as Content-Length says, which is none for a chunked body. A server that responds before
    the whole body is read closes the connection, so that the client may not get the response and its next request
    fails. Both are done only if the server knows the end of the body: `wsgi.input_terminated`.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], most: int) -> None:
        """`most` is the longest chunked body in bytes; Django refuses a longer one, of which it gets one byte more."""
        self.application = application
        self.most = most

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("wsgi.input_terminated"):
            return self.application(environ, start_response)
        body = environ["wsgi.input"]
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            environ |= _measured(body.read(self.most + 1))
        try:
            return self.application(environ, start_response)
        finally:
            _read_the_rest(body)


def _measured(body: bytes) -> Environ:
    return {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _read_the_rest(body: Any) -> None:
    for _ in range(MOST_DISCARDED // CHUNK):
        if not body.read(CHUNK):
            break


def check_database() -> None:
    """Connect once, so that a PgBouncer that `clinic.pgbouncer` refuses stops the start. One that is away does not."""
    with suppress(OperationalError):
        connection.ensure_connection()
    connection.close()


def keep_what_is_loaded() -> None:
    """Load all views, and keep the garbage collector from what lives as long as the process: all modules and models.

    Looking through these 280,000 objects takes it 150 ms, in the middle of a page that makes many objects.
    """
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()


application = WholeBodies(get_wsgi_application(), most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
if settings.PGBOUNCER_PREPARED_STATEMENTS:
    check_database()
keep_what_is_loaded()
