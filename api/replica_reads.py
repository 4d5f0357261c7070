"""Reads of the API that may be behind: found times and searches."""

from collections.abc import Callable
from typing import TypeVar

from clinic import replica
from scheduling.access import Caller

T = TypeVar("T")


def read_for(caller: Caller, act: Callable[[], T]) -> T:
    """Return what `act` reads, from a replica if there is one and the caller is software that acts for itself.

    What a person may see depends on rows, in which a right that has ended must be seen at once.
    """
    return replica.read(act, caller.owner) if caller.is_system else act()
