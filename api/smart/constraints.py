"""Scopes with search parameters:
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from urllib.parse import parse_qsl

from django.db.models import Q

from api.search import condition
from scheduling.access import Caller
from scheduling.errors import Invalid


def condition_of(caller: Caller, kind: str, constraint: str) -> Q | None:
    """Return the condition of `status=booked&date=ge2026-01-01`; None if a part cannot be read.

    Chains and filters are not read: their results would depend on the scopes that are read here.
    """
    found = Q()
    for name, value in parse_qsl(constraint, keep_blank_values=True):
        if "." in name or name.startswith(("_has", "_filter")) or not value:
            return None
        try:
            found &= condition(kind, name, value, caller, "")
        except Invalid:
            return None
    return found or None
