"""Announcements of due messages to the broker, by a thread of this process, so that no request waits for the broker.

The thread gathers for a moment and announces many messages with one task. What is lost with the process or with the
broker is not announced again: the sweep in scheduling.tasks sends it.
"""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from threading import Condition, Thread

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
        self._waiting: dict[timedelta, list[str]] = {}
        self._thread: Thread | None = None

    def announce(self, messages: Sequence[str], wait: timedelta) -> None:
        """Have the messages with these ids announced, to be sent after `wait`. Returns at once."""
        with self._changed:
            if sum(map(len, self._waiting.values())) + len(messages) > MOST_WAITING:
                return
            self._waiting.setdefault(wait, []).extend(messages)
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="announcements", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            time.sleep(GATHERED_FOR)
            with self._changed:
                gathered, self._waiting = self._waiting, {}
            try:
                for messages, wait in _tasks(gathered):
                    app.send_task(DELIVER, args=[messages], retry=False, countdown=wait.total_seconds() or None)
            except Exception as error:  # whatever the broker's client raises
                logger.warning("Messages wait for the sweep: the broker was not told (%s)", type(error).__name__)


def _tasks(gathered: dict[timedelta, list[str]]) -> Iterator[tuple[list[str], timedelta]]:
    for wait, messages in gathered.items():
        for first in range(0, len(messages), MESSAGES_OF_A_TASK):
            yield messages[first : first + MESSAGES_OF_A_TASK], wait


_announcer = Announcer()
os.register_at_fork(after_in_child=_announcer.reset)
announce = _announcer.announce
