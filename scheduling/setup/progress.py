"""Progress of the set-up: how many rows of each kind there are."""

from dataclasses import astuple, dataclass

from clinic.models import Device, HealthcareService, Location, Practitioner, Schedule


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """Numbers of the sites, practitioners, rooms and devices, services and calendars of the clinic."""

    sites: int
    people: int
    rooms: int
    services: int
    calendars: int


def progress() -> SetupProgress:
    """Return the progress. One statement for each kind of row."""
    places = Location.objects.filter(deleted_at=None)
    return SetupProgress(
        sites=places.filter(part_of=None).count(),
        people=Practitioner.objects.filter(active=True, deleted_at=None).count(),
        rooms=places.exclude(part_of=None).count() + Device.objects.filter(deleted_at=None).count(),
        services=HealthcareService.objects.filter(active=True, deleted_at=None).count(),
        calendars=Schedule.objects.filter(active=True, deleted_at=None, bookable__patient=None).count(),
    )


def is_empty() -> bool:
    """True if nothing of the clinic has been entered yet."""
    return not any(astuple(progress()))
