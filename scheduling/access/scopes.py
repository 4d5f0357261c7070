"""What software was granted: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

import re

from scheduling.access.callers import Caller

# SMART scopes, version 2: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<may>c?r?u?d?s?)")

INTERACTIONS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


def has_scope(caller: Caller, resource_type: str, interaction: str) -> bool:
    """Whether software was granted `interaction` (one of c r u d s) on a type of resource."""
    grants = (SCOPE.fullmatch(scope) for scope in caller.scopes)
    return any(grant and grant["type"] in ("*", resource_type) and interaction in grant["may"] for grant in grants)
