"""A load from threads of one process: each keeps a connection and asks the next thing as soon as it is answered."""

import socket
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock, Thread


@dataclass
class Measured:
    """Latencies in seconds of what was answered, what the answers' statuses were, and how long it took in all."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def p50(self) -> float:
        """Milliseconds."""
        return statistics.median(self.latencies) * 1000

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.latencies, n=20)[-1] * 1000

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


class Asker:
    """One HTTP/1.1 connection, as thin as it can be: the client shares its cores with the server."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb", buffering=1 << 16)
        self.head = f" HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        head = f"{method} {path}{self.head}"
        if body:
            head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)
        status = int(self.reader.readline().split()[1])
        length = 0
        while (line := self.reader.readline()) != b"\r\n":
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        return status, self.reader.read(length)

    def close(self) -> None:
        self.reader.close()
        self.socket.close()


Ask = tuple[str, str, bytes]


def measure(askers: list[Asker], asks: Iterable[Ask]) -> Measured:
    """Put every question once, as many at a time as there are askers, who then hang up."""
    measured = Measured()
    waiting, lock = iter(asks), Lock()

    def next_asks() -> Iterator[Ask]:
        while True:
            with lock:
                ask = next(waiting, None)
            if ask is None:
                return
            yield ask

    def work(asker: Asker) -> None:
        for ask in next_asks():
            began = time.perf_counter()
            status, _ = asker.ask(*ask)
            measured.latencies.append(time.perf_counter() - began)
            measured.statuses[status] += 1

    threads = [Thread(target=work, args=[asker]) for asker in askers]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.seconds = time.perf_counter() - began
    for asker in askers:
        asker.close()
    return measured
