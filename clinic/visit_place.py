"""The place of a visit, the clock its patient reads, and the phone number that answers: on pages, in messages and
in calendar files alike.
"""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic import phones
from clinic.fhir.codes import PATIENT_TIMEZONE
from clinic.folding import folded
from clinic.models import Appointment, Location
from clinic.translations import text_of
from clinic.zones import zone_named


def is_by_video(appointment: Appointment) -> bool:
    return bool(appointment.service and appointment.service.telehealth)


def site_to_go_to(appointment: Appointment) -> Location | None:
    """The site that the patient comes to; None for a visit by video, which is at no site."""
    return None if is_by_video(appointment) else appointment.site


def site_and_town(site: Location) -> str:
    """Riverside, New York: the town is left out where the site is called after it."""
    name = text_of(site, "name")
    names = folded(site.name), folded(name)  # a translated name can have the town in another language
    return name if any(folded(site.city) in each for each in names) else f"{name}, {site.city}"


def zone_for_patient(appointment: Appointment, there: ZoneInfo) -> ZoneInfo:
    """The zone whose times the patient is told: the one they chose for a visit by video, else `there`, the site's."""
    return (chosen_zone(appointment) if is_by_video(appointment) else None) or there


def chosen_zone(appointment: Appointment) -> ZoneInfo | None:
    """The zone that the patient chose when they booked."""
    sent = (each.get("valueCode", "") for each in appointment.extra.get("extension", ()) if _is_zone(each))
    try:
        return next((zone_named(str(name)) for name in sent if name), None)
    except (ValueError, OSError):  # other software can write any name
        return None


def with_chosen_zone(extra: dict[str, Any], zone: ZoneInfo | None) -> dict[str, Any]:
    """An Appointment's further elements with the zone that the patient chose; without one, the clinic's counts."""
    others = [each for each in extra.get("extension", ()) if not _is_zone(each)]
    chosen = [{"url": PATIENT_TIMEZONE, "valueCode": zone.key}] if zone else []
    kept = {name: value for name, value in extra.items() if name != "extension"}
    return {**kept, "extension": [*others, *chosen]} if others or chosen else kept


def phone_of(site: Location | None) -> str:
    """The number to call about a visit at the site: the site's own, else the clinic's; empty where there is none."""
    return phones.shown((site.phone if site else "") or settings.CLINIC_PHONE)


def _is_zone(extension: dict[str, Any]) -> bool:
    return extension.get("url") == PATIENT_TIMEZONE
