"""The site, time zone and phone number of a visit, as its patient sees them on pages, in messages and in calendars."""

from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic import addresses, phones
from clinic.fhir.codes import PATIENT_TIMEZONE
from clinic.folding import folded
from clinic.models import Appointment, Location
from clinic.translations import TranslatedText, text_of
from clinic.zones import zone_named


def is_by_video(appointment: Appointment) -> bool:
    return bool(appointment.service and appointment.service.telehealth)


def site_to_go_to(appointment: Appointment) -> Location | None:
    """Return the site that the patient goes to, or None for a visit by video."""
    return None if is_by_video(appointment) else appointment.site


def site_and_town(site: Location) -> TranslatedText:
    """Return the site and its town, such as `Riverside, New York`; only the site if its name contains the town."""
    name = text_of(site, "name")
    names = folded(site.name), folded(name)  # a translated name can have the town in another language
    if any(folded(site.city) in folded_name for folded_name in names):
        return name
    return TranslatedText(f"{name}, {site.city}", name.language)


def zone_for_patient(appointment: Appointment, site_zone: ZoneInfo) -> ZoneInfo:
    """Return the zone of the times that the patient sees: the one they chose for a visit by video, else the site's."""
    return (chosen_zone(appointment) if is_by_video(appointment) else None) or site_zone


def chosen_zone(appointment: Appointment) -> ZoneInfo | None:
    """Return the zone that the patient chose when they booked, or None."""
    extensions = filter(_is_zone, appointment.extra.get("extension", ()))
    names = (extension.get("valueCode", "") for extension in extensions)
    try:
        return next((zone_named(str(name)) for name in names if name), None)
    except (ValueError, OSError):  # other software can write any name
        return None


def with_chosen_zone(extra: dict[str, Any], zone: ZoneInfo | None) -> dict[str, Any]:
    """Return an Appointment's `extra` with the zone that the patient chose, or without one if `zone` is None."""
    others = [extension for extension in extra.get("extension", ()) if not _is_zone(extension)]
    chosen = [{"url": PATIENT_TIMEZONE, "valueCode": zone.key}] if zone else []
    kept = {name: value for name, value in extra.items() if name != "extension"}
    return {**kept, "extension": [*others, *chosen]} if others or chosen else kept


def map_url(site: Location | None) -> str:
    """Return the address of a map of the site; empty if its own address is not known."""
    if site is None or not site.line:
        return ""
    return str(settings.MAP_URL).replace("{address}", quote(addresses.on_one_line(site)))


def phone_of(site: Location | None) -> str:
    """Return the phone number for questions about a visit at the site: the site's, else the clinic's, or empty."""
    return phones.display((site.phone if site else "") or settings.CLINIC_PHONE)


def _is_zone(extension: dict[str, Any]) -> bool:
    return extension.get("url") == PATIENT_TIMEZONE
