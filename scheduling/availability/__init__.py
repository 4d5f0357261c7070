"""Questions about free time. Reads rows, asks the core, writes nothing.

Whatever is asked, the schedules and their parameters are one query and the Slots another. Only who wants the
first few times of several schedules reads Slots by looks, each reaching twice as far, until there are enough.
"""

from scheduling.availability.offerings import (
    Arrangement,
    Offering,
    Pool,
    arrangements_for,
    complete,
    offerings_of,
    on_one_grid,
    service_of,
    together,
)
from scheduling.availability.questions import (
    MAX_WINDOW,
    REASONS,
    FoundTime,
    TimeQuery,
    as_datetime,
    explain,
    find_times,
    is_offered,
    seats,
)
from scheduling.core.offers import Reason

__all__ = [
    "MAX_WINDOW",
    "REASONS",
    "Arrangement",
    "FoundTime",
    "Offering",
    "Pool",
    "Reason",
    "TimeQuery",
    "arrangements_for",
    "as_datetime",
    "complete",
    "explain",
    "find_times",
    "is_offered",
    "offerings_of",
    "on_one_grid",
    "seats",
    "service_of",
    "together",
]
