"""Questions about free time. Reads rows, asks the core, writes nothing.

Whatever is asked, the schedules and their parameters are one query and the Slots another. Only who wants the
first few times of several schedules reads Slots by looks, each reaching twice as far, until there are enough.
"""

from scheduling.availability.checklist import Problem, Verdict, checklist, problems_of_place
from scheduling.availability.criteria import Criteria, MayBook, ways_for
from scheduling.availability.faults import Fault, Found
from scheduling.availability.moving import Kept, kept_of
from scheduling.availability.offerings import (
    Arrangement,
    Offering,
    Pool,
    all_offerings_of,
    arrangements_for,
    complete,
    lasting,
    offerings_by_key,
    offerings_of,
    on_one_grid,
    service_of,
    still_given,
    together,
)
from scheduling.availability.openings import Opening, Way, by_day, by_doubling, only_the_start, openings
from scheduling.availability.previews import DAYS, Supposed, compare, stranded
from scheduling.availability.questions import (
    IN_THE_WAY,
    MAX_WINDOW,
    REASONS,
    FoundTime,
    TimeQuery,
    as_datetime,
    explain,
    find_times,
    is_offered,
    open_spans,
    places_left,
    seats,
)
from scheduling.availability.rules import is_absent, supposed_rules, weekly_windows
from scheduling.core.offers import Reason

__all__ = [
    "DAYS",
    "IN_THE_WAY",
    "MAX_WINDOW",
    "REASONS",
    "Arrangement",
    "Criteria",
    "Fault",
    "Found",
    "FoundTime",
    "Kept",
    "MayBook",
    "Offering",
    "Opening",
    "Pool",
    "Problem",
    "Reason",
    "Supposed",
    "TimeQuery",
    "Verdict",
    "Way",
    "all_offerings_of",
    "arrangements_for",
    "as_datetime",
    "by_day",
    "by_doubling",
    "checklist",
    "compare",
    "complete",
    "explain",
    "find_times",
    "is_absent",
    "is_offered",
    "kept_of",
    "lasting",
    "offerings_by_key",
    "offerings_of",
    "on_one_grid",
    "only_the_start",
    "open_spans",
    "openings",
    "places_left",
    "problems_of_place",
    "seats",
    "service_of",
    "still_given",
    "stranded",
    "supposed_rules",
    "together",
    "ways_for",
    "weekly_windows",
]
