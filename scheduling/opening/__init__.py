"""Opening hours and other rules of a service: changes by staff, their preview, and extra time.

The rules are the SchedulingParameters of a service on one schedule, or of the service as a whole. They are part of the
Schedule or the HealthcareService, which gets a new version when they change.
"""

from scheduling.opening.affected_visits import AffectedVisit, affected_visits
from scheduling.opening.changes import Change, Preview, StrandedVisit, changes, changes_only_parameters, preview, save
from scheduling.opening.closures import (
    add_closures,
    closure_of,
    closures_in_force,
    remove_closure,
    restore_closure,
    visits_in_closures,
)
from scheduling.opening.extra import add_extra, extra_hours, extra_time, extra_times, remove_extra, visits_in
from scheduling.opening.holidays import Holiday, add_next_holidays, closures_for, countries, holidays_of
from scheduling.opening.kept import kept_entry, kept_for_others
from scheduling.opening.released_time import note_released_time
from scheduling.opening.terms import Terms, problems, terms_of
from scheduling.opening.weekly_versions import (
    ALL_DAY,
    CLOSED,
    OpenSpan,
    Version,
    Week,
    in_force,
    put,
    read,
    remove,
    write,
)

__all__ = [
    "ALL_DAY",
    "CLOSED",
    "AffectedVisit",
    "Change",
    "Holiday",
    "OpenSpan",
    "Preview",
    "StrandedVisit",
    "Terms",
    "Version",
    "Week",
    "add_closures",
    "add_extra",
    "add_next_holidays",
    "affected_visits",
    "changes",
    "changes_only_parameters",
    "closure_of",
    "closures_for",
    "closures_in_force",
    "countries",
    "extra_hours",
    "extra_time",
    "extra_times",
    "holidays_of",
    "in_force",
    "kept_entry",
    "kept_for_others",
    "note_released_time",
    "preview",
    "problems",
    "put",
    "read",
    "remove",
    "remove_closure",
    "remove_extra",
    "restore_closure",
    "save",
    "terms_of",
    "visits_in",
    "visits_in_closures",
    "write",
]
