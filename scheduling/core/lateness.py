"""Lateness of a day: how much later than planned each visit of a person begins who runs late."""

from collections.abc import Sequence

from scheduling.core.intervals import Span


def lateness_of(visits: Sequence[Span], *, late: int, since: int) -> list[int]:
    """Return the seconds by which each visit begins later, in their order.

    The visits are sorted and do not overlap. At `since` the person said that they are `late` (seconds). Each visit
    begins when the one before is over; time between visits makes up for it. Those that had begun by then are not late.
    """
    found: list[int] = []
    free_from: int | None = None
    for start, end in visits:
        if start + late <= since:
            found.append(0)
            continue
        begins = start + late if free_from is None else max(start, free_from)
        found.append(begins - start)
        free_from = begins + end - start
    return found
