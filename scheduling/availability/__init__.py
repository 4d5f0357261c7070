"""Free time: reads rows, computes with scheduling.core, and writes nothing.

Every search reads the Slots with one statement, and before that the schedules with their parameters with another, or
takes them from the cache of this process. A search for the first few times of several schedules reads Slots in windows,
each twice as long as the one before, until there are enough.
"""

from scheduling.availability.arranging import arrange
from scheduling.availability.checklist import BookingProblem, Verdict, checklist, problems_of_place
from scheduling.availability.combined import CombinedQuery, FoundVisit, find_combined
from scheduling.availability.criteria import Criteria, MayBook, specialties_of, ways_for
from scheduling.availability.faults import Fault, FoundFault
from scheduling.availability.free_times import (
    EARLIEST,
    LATEST,
    LONGEST_VISIT,
    MAX_WINDOW,
    REASONS,
    TIME_CONFLICTS,
    FoundTime,
    SearchWindows,
    TimeQuery,
    as_datetime,
    bookable_until,
    explain,
    find_times,
    is_offered,
    open_spans,
    places_left,
    seats,
)
from scheduling.availability.gaps import gaps_of
from scheduling.availability.limits import are_limited, limits_of
from scheduling.availability.moved_visits import MovedVisit, moved_visit_of
from scheduling.availability.offering_cache import STAMP
from scheduling.availability.offerings import (
    Arrangement,
    Offering,
    Pool,
    all_offerings_of,
    arrangements_for,
    offerings_by_key,
    offerings_of,
    offerings_of_visit,
    require_combinable,
    require_common_grid,
    require_complete,
    require_still_available,
    service_of,
    with_duration,
)
from scheduling.availability.openings import Opening, by_day, doubling, openings, start_only
from scheduling.availability.parameters import (
    closed_time,
    hypothetical_rules,
    is_absent,
    kept_times_of,
    planned,
    weekly_windows,
)
from scheduling.availability.patient_limits import (
    full_for,
    limits_patients,
    patient_limit_issues,
    series_limit_issues,
)
from scheduling.availability.previews import DAYS, HypotheticalService, compare, stranded, was_open
from scheduling.availability.series import (
    Course,
    FoundSeries,
    SeriesQuery,
    check_occurrences,
    find_series,
    plan_course,
    plan_move,
)
from scheduling.availability.walk_ins import next_openings, without_notice
from scheduling.availability.ways import Way, ways_of
from scheduling.core.offers import Reason
from scheduling.core.series import PlannedVisit

__all__ = [
    "DAYS",
    "EARLIEST",
    "LATEST",
    "LONGEST_VISIT",
    "MAX_WINDOW",
    "REASONS",
    "STAMP",
    "TIME_CONFLICTS",
    "Arrangement",
    "BookingProblem",
    "CombinedQuery",
    "Course",
    "Criteria",
    "Fault",
    "FoundFault",
    "FoundSeries",
    "FoundTime",
    "FoundVisit",
    "HypotheticalService",
    "MayBook",
    "MovedVisit",
    "Offering",
    "Opening",
    "PlannedVisit",
    "Pool",
    "Reason",
    "SearchWindows",
    "SeriesQuery",
    "TimeQuery",
    "Verdict",
    "Way",
    "all_offerings_of",
    "are_limited",
    "arrange",
    "arrangements_for",
    "as_datetime",
    "bookable_until",
    "by_day",
    "check_occurrences",
    "checklist",
    "closed_time",
    "compare",
    "doubling",
    "explain",
    "find_combined",
    "find_series",
    "find_times",
    "full_for",
    "gaps_of",
    "hypothetical_rules",
    "is_absent",
    "is_offered",
    "kept_times_of",
    "limits_of",
    "limits_patients",
    "moved_visit_of",
    "next_openings",
    "offerings_by_key",
    "offerings_of",
    "offerings_of_visit",
    "open_spans",
    "openings",
    "patient_limit_issues",
    "places_left",
    "plan_course",
    "plan_move",
    "planned",
    "problems_of_place",
    "require_combinable",
    "require_common_grid",
    "require_complete",
    "require_still_available",
    "seats",
    "series_limit_issues",
    "service_of",
    "specialties_of",
    "start_only",
    "stranded",
    "was_open",
    "ways_for",
    "ways_of",
    "weekly_windows",
    "with_duration",
    "without_notice",
]
