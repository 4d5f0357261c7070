"""Announcements to the broker, by a thread of this process, so that no request waits for it: of messages that are due,
and of other work that a worker is to do soon.

The thread gathers for a moment and announces many messages with one task. What is lost with the process or with the
broker is not announced again: the sweeps in scheduling.tasks find it.
"""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from threading import Condition, Thread

from clinic import request_id
from clinic.celery import app

logger = logging.getLogger(__name__)

DELIVER = "scheduling.tasks.deliver_messages"
GATHERED_FOR = 0.1  # seconds
MESSAGES_OF_A_TASK = 100
MOST_WAITING = 10_000  # while the broker hangs


class Announcer:
    """The messages that are to be announced, and the thread that does it; it starts with the first of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin without messages and without a thread, as a process does that was forked: its parent has both."""
        self._changed = Condition()
        # The messages and tasks, each with the id of the request that it is of.
        self._waiting: dict[timedelta, list[tuple[str, str]]] = {}
        self._tasks: dict[tuple[str, timedelta], list[str]] = {}
        self._thread: Thread | None = None

    def announce(self, messages: Sequence[str], wait: timedelta) -> None:
        """Have the messages with these ids announced, to be sent after `wait`. Returns at once."""
        request = request_id.current.get()
        with self._changed:
            if sum(map(len, self._waiting.values())) + len(messages) > MOST_WAITING:
                return
            self._waiting.setdefault(wait, []).extend((message, request) for message in messages)
            self._wake()

    def call_task(self, name: str, wait: timedelta) -> None:
        """Have a worker run this task, which takes no arguments, after `wait`. Returns at once."""
        with self._changed:
            self._tasks.setdefault((name, wait), []).append(request_id.current.get())
            self._wake()

    def _wake(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._run, name="announcements", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._tasks)
            time.sleep(GATHERED_FOR)
            with self._changed:
                gathered, self._waiting = self._waiting, {}
                tasks, self._tasks = self._tasks, {}
            try:
                for (name, wait), requests in tasks.items():
                    _send(name, [], wait, requests)
                for batch, wait in _batches(gathered):
                    _send(DELIVER, [[message for message, _ in batch]], wait, [request for _, request in batch])
            except Exception as error:  # whatever the broker's client raises
                logger.warning("Work waits for the sweep: the broker was not told (%s)", type(error).__name__)


def _batches(gathered: dict[timedelta, list[tuple[str, str]]]) -> Iterator[tuple[list[tuple[str, str]], timedelta]]:
    for wait, messages in gathered.items():
        for first in range(0, len(messages), MESSAGES_OF_A_TASK):
            yield messages[first : first + MESSAGES_OF_A_TASK], wait


def _send(task: str, arguments: list[list[str]], wait: timedelta, requests: Iterable[str]) -> None:
    """Tell the broker of a task, and of the ids of the requests that it is of."""
    headers = {request_id.TASK_HEADER: " ".join(filter(None, dict.fromkeys(requests)))}
    app.send_task(task, args=arguments, headers=headers, retry=False, countdown=wait.total_seconds() or None)


_announcer = Announcer()
os.register_at_fork(after_in_child=_announcer.reset)
announce = _announcer.announce
call_task = _announcer.call_task
