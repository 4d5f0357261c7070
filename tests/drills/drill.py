"""The course of a drill: load and kills, then what waits is sent, then everything is compared."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from clinic.models import Communication
from tests.drills import checks
from tests.drills.client_records import ClientRecords
from tests.drills.clients import Client, Software, Visitor
from tests.drills.filling import fill
from tests.drills.installation import TICK, Installation

BETWEEN_KILLS = (3.0, 12.0)  # seconds
PATIENTLY = 240.0  # seconds for the last answers, and for the last messages
IN_HAND = 10.0  # seconds in which a worker that was not killed is done with a message
CLIENTS = (Software, Software, Visitor)


@dataclass
class Result:
    """The kills, records and mails of a drill, and its problems."""

    records: ClientRecords = field(default_factory=ClientRecords)
    killed: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    mails_sent_again: int = 0
    problems: list[str] = field(default_factory=list)


def run(installation: Installation, seconds: float, seed: int) -> Result:
    """Fill the database, start the programs and hold the drill."""
    call_command("migrate", interactive=False, verbosity=0)
    clinic = fill(f"http://127.0.0.1:{installation.port}")
    connection.close()
    connection.close_pool()  # its connections will have been cut at the end
    installation.start_programs()
    result, over = Result(), Event()
    clients: list[Client] = [
        kind(number, clinic, result.records, over, seed) for number, kind in enumerate(CLIENTS, start=1)
    ]
    for client in clients:
        client.start()
    _kill(installation, seconds, random.Random(seed), result.killed)
    over.set()
    _tend_while(installation, lambda: any(client.is_alive() for client in clients), PATIENTLY)
    _send_what_waits(installation)
    result.problems += [f"{client.name} does not end" for client in clients if client.is_alive()]
    result.problems += _problems(installation, result)
    return result


def _kill(installation: Installation, seconds: float, chance: random.Random, killed: Counter[str]) -> None:
    """Kill parts in turn by chance. A part that does not run is left out."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        _tend_while(installation, lambda: True, min(chance.uniform(*BETWEEN_KILLS), left))
        way = chance.choice(installation.kills)
        if way.part.runs:
            killed[way.name] += 1
            way.do(chance)


def _tend_while(installation: Installation, is_going: Callable[[], bool], seconds: float) -> None:
    """Start what has ended, as long as something is going and for so many seconds at most."""
    deadline = time.monotonic() + seconds
    while is_going() and time.monotonic() < deadline:
        installation.tend()
        time.sleep(TICK)


def _send_what_waits(installation: Installation) -> None:
    """Let the worker send what waits. The claims of killed workers end now, and not after some minutes."""
    _tend_while(installation, lambda: True, IN_HAND)
    installation.await_readiness()
    now = timezone.now()
    waiting = Communication.objects.filter(status__in=checks.OPEN, due__lt=now + timedelta(hours=1))
    waiting.filter(status=Communication.Status.IN_PROGRESS).update(claimed_until=now)
    _tend_while(installation, waiting.exists, PATIENTLY)


def _problems(installation: Installation, result: Result) -> Iterator[str]:
    mails = checks.mails_in(installation.mail)
    result.mails, result.mails_sent_again = len(mails), len(mails) - len(set(mails))
    killed_workers = result.killed[f"{installation.worker.name}: SIGKILL"]
    yield from result.records.wrong
    yield from checks.problems_of_visits(result.records, now=timezone.now())
    yield from checks.problems_of_messages(result.records, mails, killed_workers=killed_workers)
    yield from checks.problems_of_logs(installation.logs)
