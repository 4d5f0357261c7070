"""The local payment provider, running for one test, with the settings that lead to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from demo.stripe_server import SECRET_KEY, WEBHOOK_SECRET, LocalProvider, serve


@contextmanager
def running(settings: Any, webhook_url: str = "") -> Iterator[LocalProvider]:
    """Run the provider on a port of its own."""
    local = LocalProvider(secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET, webhook_url=webhook_url)
    server = serve(local)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.PAYMENT_PROVIDER = "local"
    settings.STRIPE_API_BASE = local.base
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = SECRET_KEY, WEBHOOK_SECRET
    try:
        yield local
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
