"""Check for processes that have ended."""

import os
import time
from contextlib import suppress


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """True if the process ends within this number of seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            time.sleep(0.02)
            continue
        return True
    return False
