"""`_profile` of Appointments: profiles that were sent, and US Core's, which is declared where it is met."""

from dataclasses import dataclass

from django.db.models import Q

from api.search.places import holds, is_there
from api.search.strings import Uri
from api.search.values import plain
from clinic.fhir.codes import US_CORE_APPOINTMENT

# Each participant has an actor, as clinic.fhir.appointments asks of the rows.
MEETS_US_CORE = is_there("participant") & ~holds("participant", "!exists(@.actor)")


@dataclass(frozen=True, kw_only=True)
class VisitProfile(Uri):
    """A canonical: without a version it names every version."""

    place: str = "extra.meta.profile"

    def condition(self, value: str, modifier: str, base: str) -> Q:
        uri, found = plain(value), super().condition(value, modifier, base)
        names_it = US_CORE_APPOINTMENT.startswith(uri) if modifier else uri in _names(US_CORE_APPOINTMENT)
        return found | MEETS_US_CORE if names_it else found

    def present(self) -> Q:
        return super().present() | MEETS_US_CORE


def _names(canonical: str) -> tuple[str, str]:
    """Return a canonical with its version and without."""
    return canonical, canonical.partition("|")[0]
