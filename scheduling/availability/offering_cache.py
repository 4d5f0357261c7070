"""The cache of services and offerings in this process. What it returns is never stale.

A value is kept under the *stamp* of the offerings, and used only by who has read the same stamp from the database.

The stamp is the set of random ids in the table `clinic_offeringstamp`. Triggers on every table that offerings are made
of replace it: the first such statement of a transaction deletes the ids that it sees and inserts a new one. Like all
rows, ids are seen by others from the commit on, together with the change itself. Each commit of a change shows an id
that nobody has seen before, so no set of ids comes twice, and the same set always means the same offerings.

Other stamps would not do:

- A number from a sequence, and the time, are seen or passed before the commit. Offerings read in between would be kept
  under the new stamp without the change.
- The highest id of rows that are only added misses a change that began first and is committed last.
- A counter in one row lets every change wait for the one before, and two changes that lock schedules in different
  order deadlock. Ids that another transaction is about to delete are skipped instead (SKIP LOCKED), so the table may
  have one row more for a while, and nobody ever waits. Bookings do not touch these tables.
- Numbers that are not random could come again after a backup was restored.

A transaction that changes offerings can read them between two of its changes. A setting of the transaction therefore
belongs to the stamp as well: it is random after each statement, goes back with a savepoint, and ends with the
transaction.

A missing value is read together with the stamp, by one statement, so both are of the same instant. Only if the stamp is
still the one that the reader has seen is the value kept. A reader that has seen the old stamp may return the old value
if it was kept, but nobody ever keeps an old value under the new stamp, or a new value under the old one.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar, cast

T = TypeVar("T")

MOST_OFFERINGS = 10_000  # in each process, about 2 kB each
# SQL for the stamp, as an expression that any statement can read; NULL, which means no cache, if the table is empty.
STAMP = (
    "(SELECT string_agg(id::text, ' ' ORDER BY id) || coalesce(current_setting('clinic.offerings_changed', true), '')"
    " FROM clinic_offeringstamp)"
)


class OfferingCache:
    """Values by stamp and question, of limited size. The least recently used are removed. Threads may share it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def find(
        self, stamp: str | None, question: Hashable, read: Callable[[], tuple[T, str | None]], size: Callable[[T], int]
    ) -> T:
        """Return the value that `read` would return, which contains `size` offerings.

        `read` returns the stamp too, of the same statement; None for a value that is not kept.
        """
        if stamp is None:
            return read()[0]
        key = stamp, question
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return cast(T, self._values[key][0])
        value, stamp_then = read()
        if stamp_then == stamp and size(value) <= self.most:
            self._keep(key, value, size(value))
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._size = 0

    def __len__(self) -> int:
        """Return the number of offerings kept."""
        return self._size

    def _keep(self, key: Hashable, value: Any, size: int) -> None:
        with self._lock:
            self._size += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size
            while self._size > self.most:
                _, (_, removed) = self._values.popitem(last=False)
                self._size -= removed


offering_cache = OfferingCache(MOST_OFFERINGS)
