"""Names of sites and rooms in the reader's language, for participants of visits: those have one language only."""

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.utils.translation import get_language

from clinic.minute_cache import MinuteCache
from clinic.models import Location
from clinic.translations import TranslatedText, text_of

_places: MinuteCache[dict[str, Location]] = MinuteCache()  # those with a translated name, by reference


def name_of_place(reference: str, name: str) -> TranslatedText:
    """Return the name of a place in the reader's language. A name that the place no longer has is not translated."""
    if get_language() not in (None, settings.LANGUAGE_CODE):
        place = _places.get(_translated_places).get(reference)
        if place is not None and place.name == name:
            return text_of(place, "name")
    return TranslatedText(name, settings.LANGUAGE_CODE)


def watch_places() -> None:
    """Clear the cache when this process saves or deletes a place."""
    for signal in (post_save, post_delete):
        signal.connect(forget_places, sender="clinic.Location", dispatch_uid="clinic.place_names")


def forget_places(**kwargs: object) -> None:
    """Clear the cached places."""
    _places.clear()


def _translated_places() -> dict[str, Location]:
    rows = Location.objects.filter(deleted_at=None, extra__has_key="_name").only("fhir_id", "name", "extra")
    return {row.reference: row for row in rows}
