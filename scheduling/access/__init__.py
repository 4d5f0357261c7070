"""Authorisation for the API, the pages and the administration: deny by default.

Availability is computed over all rows for every caller: the operation is authorised, never the rows that it reads.
"""

from scheduling.access.audit import audit_event
from scheduling.access.callers import Caller, calendars
from scheduling.access.compartments import PATIENT, PUBLIC, of_patient, patient_of
from scheduling.access.disclosures import record_disclosure, record_listing, withheld
from scheduling.access.identities import record_of
from scheduling.access.launches import (
    active_launches,
    code_digest,
    end_online_launches,
    is_launch_over,
    record_launch,
    revoke_app,
)
from scheduling.access.permissions import (
    could_book,
    manages,
    may_be_for,
    may_book,
    may_find,
    may_match,
    may_merge,
    may_override,
    may_set_hours,
    require,
    searchable_types,
)
from scheduling.access.redaction import IDENTIFYING_TYPES, redacted, visible_people
from scheduling.access.rows import (
    changeable_appointment,
    hidden_busy_slots,
    is_exempt_from_cutoffs,
    may_know_calendar,
    of_its_patient,
    staff_appointments,
    visible,
    visible_past,
)
from scheduling.access.scope_filters import require_within_scopes, search_constraints
from scheduling.access.scopes import CONTEXT, IDENTITY, LASTING, Scope, grantable, read_scope
from scheduling.access.standing import require_standing, standing_caller
from scheduling.access.write_rules import (
    answerable_actors,
    is_unbound,
    may_record_visit,
    may_refer_to_all,
    may_take_over,
    may_write,
    patients_of,
    referable_keys,
    require_may_answer,
    sees_all,
)

__all__ = [
    "CONTEXT",
    "IDENTIFYING_TYPES",
    "IDENTITY",
    "LASTING",
    "PATIENT",
    "PUBLIC",
    "Caller",
    "Scope",
    "active_launches",
    "answerable_actors",
    "audit_event",
    "calendars",
    "changeable_appointment",
    "code_digest",
    "could_book",
    "end_online_launches",
    "grantable",
    "hidden_busy_slots",
    "is_exempt_from_cutoffs",
    "is_launch_over",
    "is_unbound",
    "manages",
    "may_be_for",
    "may_book",
    "may_find",
    "may_know_calendar",
    "may_match",
    "may_merge",
    "may_override",
    "may_record_visit",
    "may_refer_to_all",
    "may_set_hours",
    "may_take_over",
    "may_write",
    "of_its_patient",
    "of_patient",
    "patient_of",
    "patients_of",
    "read_scope",
    "record_disclosure",
    "record_launch",
    "record_listing",
    "record_of",
    "redacted",
    "referable_keys",
    "require",
    "require_may_answer",
    "require_standing",
    "require_within_scopes",
    "revoke_app",
    "search_constraints",
    "searchable_types",
    "sees_all",
    "staff_appointments",
    "standing_caller",
    "visible",
    "visible_past",
    "visible_people",
    "withheld",
]
