"""Match of a subscription's criteria with schedules."""

from collections.abc import Iterator, Sequence

from clinic.fhir.subscriptions import SubscriptionCriteria
from clinic.models import Resource, Schedule

# Relations to load with the rows of Schedules.
ORGANIZATIONS = ("site__organization", "practitioner_role__organization", "bookable__location__organization")


def matches(criteria: SubscriptionCriteria, schedule: Schedule) -> bool:
    """True if the schedule has one of the references of every parameter."""
    return all(
        (parameter == "service" and schedule.offers_all_services)
        or not references.isdisjoint(_references(parameter, schedule))
        for parameter, references in criteria.references.items()
    )


def _references(parameter: str, schedule: Schedule) -> Iterator[str]:
    """The references of a schedule for one of `clinic.fhir.subscriptions.PARAMETERS`."""
    role, bookable = schedule.practitioner_role, schedule.bookable
    found: Sequence[Resource | None] = ()
    match parameter:
        case "schedule":
            found = [schedule]
        case "actor":
            found = [bookable.actor, role]
        case "practitioner":
            found = [bookable.practitioner, role]
        case "location":
            found = [schedule.site, bookable.location]
        case "organization":
            found = [each.organization for each in (role, schedule.site, bookable.location) if each]
        case "service":
            found = [*schedule.services.all(), bookable.healthcare_service]
    yield from (each.reference for each in found if each is not None)
