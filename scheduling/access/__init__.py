"""Who may see and do what, for every door. What is not allowed here is not allowed.

Availability is computed over all rows, whoever asks: it is the operation that is authorised, never the rows.
"""

from scheduling.access.callers import Caller, calendars
from scheduling.access.permissions import may_be_for, may_book, may_find, may_override, may_set_hours, require, runs
from scheduling.access.rows import (
    as_shown,
    at_work,
    changeable_appointment,
    sees_rules_lifted,
    taken_out_of_sight,
    visible,
)
from scheduling.access.scopes import SCOPE

__all__ = [
    "SCOPE",
    "Caller",
    "as_shown",
    "at_work",
    "calendars",
    "changeable_appointment",
    "may_be_for",
    "may_book",
    "may_find",
    "may_override",
    "may_set_hours",
    "require",
    "runs",
    "sees_rules_lifted",
    "taken_out_of_sight",
    "visible",
]
