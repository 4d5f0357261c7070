"""Saving of services, and adding them from templates."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic import service_types
from clinic.models import HealthcareService, Schedule
from scheduling import access, booking, opening
from scheduling.access import Caller
from scheduling.errors import RuleBroken
from scheduling.interactions.audit import record_writes
from scheduling.opening import Version, Week
from scheduling.opening.changes import write_parameters
from scheduling.setup.templates import ServiceTemplate, starts_every
from scheduling.setup.writes import Written, write_row

Kind = HealthcareService.ActorType


def add_services(
    templates: Iterable[ServiceTemplate], week: Week, *, caller: Caller, now: datetime
) -> list[HealthcareService]:
    """Add a service for each template, given in this week.

    A room or device is required only if the clinic has one with a calendar. Raises RuleBroken for a name that exists.
    """
    access.may_set_up(caller)
    with booking.all_or_nothing():
        kinds = _kinds_with_calendars()
        written: list[Written] = []
        services: list[HealthcareService] = []
        for template in templates:
            name = str(template.name)
            _refuse_same_name(name)
            values = {
                "name": name,
                "requires": [kind for kind in template.requires if kind in kinds or kind == Kind.PRACTITIONER],
                "telehealth": template.by_video,
                "type": [service_types.x12_type(template.service_type)],
            }
            service, entry = write_row(HealthcareService(), values, version=0, now=now)
            parameters = {
                "duration": template.minutes,
                "alignment_interval": starts_every(template.minutes),
                "availability": opening.write([Version(None, week)]),
            }
            write_parameters(service, None, parameters)
            services.append(service)
            written.append(entry)
        record_writes(written, caller=caller, now=now)
    return services


def save_service(
    service: HealthcareService,
    values: Mapping[str, Any],
    parameters: Mapping[str, Any],
    *,
    own_type: str = "",
    version: int,
    caller: Caller,
    now: datetime,
) -> HealthcareService:
    """Save a new or changed service with these columns of its scheduling parameters.

    It is also of the type with the name `own_type`, which becomes one of the clinic's own if there is none.
    """
    access.may_set_up(caller)
    with booking.all_or_nothing():
        if own_type:
            values = {**values, "type": service_types.with_type(values["type"], own_type)}
        service, written = write_row(service, values, version=version, now=now)
        write_parameters(service, None, parameters)
        record_writes([written], caller=caller, now=now)
    return service


def _kinds_with_calendars() -> set[str]:
    rows = Schedule.objects.filter(active=True, deleted_at=None)
    has = {Kind.LOCATION: {"bookable__location__isnull": False}, Kind.DEVICE: {"bookable__device__isnull": False}}
    return {kind for kind, condition in has.items() if rows.filter(**condition).exists()}


def _refuse_same_name(name: str) -> None:
    if HealthcareService.objects.filter(name=name, deleted_at=None).exists():
        raise RuleBroken(_("There is a visit called \u201c%(name)s\u201d already.") % {"name": name})
