"""A time.sleep that works under libfaketime; every Python of `make check-dates` imports it at its start.

libfaketime reads the absolute monotonic deadline of Python's own sleep as a time of the shifted clock: it refuses to
wait or waits for years.
"""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
