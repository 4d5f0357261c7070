"""The sites whose day staff may see, and the one that a page is about."""

from django.db.models import Q
from django.http import Http404

from clinic.models import Location
from scheduling import access
from scheduling.access import Action, Caller

ALL_SITES = "all"  # the value of the choice that is no site


def sites(caller: Caller) -> list[Location]:
    """Return the sites whose board the caller may see: managers all, others those where they work."""
    rows = Location.objects.filter(part_of=None, deleted_at=None, status=Location.Status.ACTIVE)
    if caller.sees_clinic:
        return list(rows)
    seen = caller.bounds(Action.SEE)
    works_at = Q(pk__in=seen.sites)
    if seen.practitioners:
        works_at |= Q(schedules__in=access.calendars(caller))
    return list(rows.filter(works_at).distinct())


def run_sites(caller: Caller, seen: list[Location]) -> list[Location]:
    """Return those of the sites that the caller sees at which they run a calendar."""
    return seen if caller.worker is caller else sites(caller.worker)


def chosen_site(sites: list[Location], site_id: str) -> Location:
    """Return the requested site; without one, the first. Raises Http404 if there is none."""
    chosen = next((each for each in sites if each.fhir_id == site_id), None)
    if chosen is None and (site_id or not sites):
        raise Http404
    return chosen or sites[0]


def chosen_sites(sites: list[Location], site_id: str) -> list[Location]:
    """Return the requested site, or all of them for ALL_SITES. Raises Http404 if there is none."""
    return sites if site_id == ALL_SITES and sites else [chosen_site(sites, site_id)]
