"""When and how a service is given: what staff may change of it, what a change would do, and the change itself.

What is set here are the SchedulingParameters of a service on one schedule, or of the service as a whole. They are
part of the Schedule or the HealthcareService, whose version counts them.
"""

from scheduling.opening.changes import Change, Preview, Stranded, changes, changes_only_parameters, preview, save
from scheduling.opening.concerned import Concerned, concerned
from scheduling.opening.extra import add_extra, extra_hours, extra_time, extra_times, remove_extra, visits_in
from scheduling.opening.terms import Terms, problems, terms_of
from scheduling.opening.versions import ALL_DAY, CLOSED, Span, Version, Week, in_force, put, read, remove, write

__all__ = [
    "ALL_DAY",
    "CLOSED",
    "Change",
    "Concerned",
    "Preview",
    "Span",
    "Stranded",
    "Terms",
    "Version",
    "Week",
    "add_extra",
    "changes",
    "changes_only_parameters",
    "concerned",
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
