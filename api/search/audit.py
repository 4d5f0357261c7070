"""The search parameter for the subtype of an AuditEvent: an interaction of FHIR, or a use case."""

from dataclasses import dataclass

from django.db.models import Q

from api.search.kinds import nothing
from api.search.tokens import Token
from api.search.values import split_token
from clinic.fhir import codes
from clinic.fhir.audit import INTERACTIONS


@dataclass(frozen=True, kw_only=True)
class Subtype(Token):
    """A token parameter on a column with codes of two systems."""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        system, code = split_token(value)
        interactions = Q(**{f"{self.column}__in": INTERACTIONS})
        of_system = {None: Q(), codes.RESTFUL_INTERACTION: interactions, codes.USE_CASE: ~interactions}
        if system not in of_system:
            return nothing()
        return of_system[system] & (Q(**{self.column: code}) if code else self.present())
