"""Who may see and do what, for every door. What is not allowed here is not allowed.

Availability is computed over all rows, whoever asks: it is the operation that is authorised, never the rows.
"""

from scheduling.access.callers import Caller, calendars
from scheduling.access.disclosures import patient_of, record_disclosure, record_listing, withheld
from scheduling.access.identities import record_of
from scheduling.access.launches import code_digest, end_online, is_over, launches_of, let_in, stop_app
from scheduling.access.permissions import (
    could_book,
    may_be_for,
    may_book,
    may_find,
    may_match,
    may_override,
    may_set_hours,
    require,
    runs,
    searchable,
)
from scheduling.access.reach import require_within_scopes
from scheduling.access.rows import (
    at_work,
    changeable_appointment,
    may_name,
    sees_rules_lifted,
    taken_out_of_sight,
    visible,
    visible_past,
)
from scheduling.access.scopes import CONTEXT, IDENTITY, LASTING, Scope, grantable, read_scope
from scheduling.access.shown import TELLING, as_shown, shown_people
from scheduling.access.writing import (
    answer_for,
    answered_by,
    is_unbound,
    known_to,
    may_write,
    names_all,
    patients_of,
    sees_all,
)

__all__ = [
    "CONTEXT",
    "IDENTITY",
    "LASTING",
    "TELLING",
    "Caller",
    "Scope",
    "answer_for",
    "answered_by",
    "as_shown",
    "at_work",
    "calendars",
    "changeable_appointment",
    "code_digest",
    "could_book",
    "end_online",
    "grantable",
    "is_over",
    "is_unbound",
    "known_to",
    "launches_of",
    "let_in",
    "may_be_for",
    "may_book",
    "may_find",
    "may_match",
    "may_name",
    "may_override",
    "may_set_hours",
    "may_write",
    "names_all",
    "patient_of",
    "patients_of",
    "read_scope",
    "record_disclosure",
    "record_listing",
    "record_of",
    "require",
    "require_within_scopes",
    "runs",
    "searchable",
    "sees_all",
    "sees_rules_lifted",
    "shown_people",
    "stop_app",
    "taken_out_of_sight",
    "visible",
    "visible_past",
    "withheld",
]
