"""Opening hours and other rules of a service: changes by staff, their preview, and extra time.

The rules are the SchedulingParameters of a service on one schedule, or of the service as a whole. They are part of the
Schedule or the HealthcareService, which gets a new version when they change.
"""

from scheduling.opening.affected_visits import AffectedVisit, affected_visits
from scheduling.opening.changes import Change, Preview, StrandedVisit, changes, changes_only_parameters, preview, save
from scheduling.opening.extra import add_extra, extra_hours, extra_time, extra_times, remove_extra, visits_in
from scheduling.opening.terms import Terms, problems, terms_of
from scheduling.opening.weekly_versions import ALL_DAY, CLOSED, Span, Version, Week, in_force, put, read, remove, write

__all__ = [
    "ALL_DAY",
    "CLOSED",
    "AffectedVisit",
    "Change",
    "Preview",
    "Span",
    "StrandedVisit",
    "Terms",
    "Version",
    "Week",
    "add_extra",
    "affected_visits",
    "changes",
    "changes_only_parameters",
    "extra_hours",
    "extra_time",
    "extra_times",
    "in_force",
    "preview",
    "problems",
    "put",
    "read",
    "remove",
    "remove_extra",
    "save",
    "terms_of",
    "visits_in",
    "write",
]
