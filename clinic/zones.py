"""Names of IANA time zones: validation, and the current name of a renamed zone."""

from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel.core import get_global
from django.core.exceptions import ValidationError

ZONES = frozenset((files("tzdata") / "zones").read_text().split())


def validate_zone(name: str) -> None:
    """Raise ValidationError for a name that the pinned tzdata package does not know, even if the machine does."""
    if name not in ZONES:
        raise ValidationError(
            f"{name!r} is not a time zone of the IANA database, such as America/New_York.", code="zone"
        )


def canonical_zone(name: str) -> str:
    """Return the current name of a zone, such as Asia/Kolkata for the older Asia/Calcutta that some browsers send."""
    known = str(get_global("zone_aliases").get(name, name))
    return known if known in ZONES and not known.startswith("Etc/") else name


@lru_cache
def zone_named(name: str) -> ZoneInfo:
    """Return the time zone under its current name, so that an old and a new name give the same zone."""
    return ZoneInfo(canonical_zone(name))
