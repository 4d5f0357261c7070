"""A web server of other software: it keeps what is POSTed to it, and answers with given statuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from time import sleep
from typing import Any

GENEROUS = 20  # seconds; far longer than anything here takes


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are the statuses to give, one after the other; 200 when there are none left.

    `body` is the body of each response, `pause` the seconds that it takes.
    """

    port: int
    answers: list[int] = field(default_factory=list)
    body: bytes = b""
    pause: float = 0
    requests: "Queue[Request]" = field(default_factory=Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self) -> Request:
        return self.requests.get(timeout=GENEROUS)

    def all(self) -> list[Request]:
        """The requests received so far."""
        return [self.requests.get() for _ in range(self.requests.qsize())]


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.put(Request(self.path, headers, body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            sleep(receiver.pause)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url + "/elsewhere")
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *args: Any) -> None:
            """Log nothing, to keep the output of the tests clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_address[1])
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
