"""Cache in this process for a value that changes rarely, such as what all sites have in common."""

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT_FOR = 60.0  # seconds


class MinuteCache(Generic[T]):
    """A value that is read again after a minute.

    The process that changes the value calls `clear` and sees the change at once, others within that minute. Without
    `keeps_empty` a value such as an empty string is read each time.
    """

    def __init__(self, *, keeps_empty: bool = True) -> None:
        self._keeps_empty = keeps_empty
        self._kept: tuple[float, T] | None = None

    def get(self, read: Callable[[], T]) -> T:
        """Return the kept value, or that of `read`, which is kept then."""
        kept = self._kept
        if kept is not None and monotonic() < kept[0]:
            return kept[1]
        value = read()
        self._kept = (monotonic() + KEPT_FOR, value) if value or self._keeps_empty else None
        return value

    def clear(self) -> None:
        self._kept = None
