"""The origins whose pages may show the booking in a frame: those of EMBED_ORIGINS, and those of Administration."""

import re
from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from clinic.minute_cache import MinuteCache

# Without a path or wildcard: exactly one site. Only this machine may do without TLS.
ORIGIN = re.compile(
    r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?"
)

_stored: MinuteCache[tuple[str, ...]] = MinuteCache()


def is_origin(text: str) -> bool:
    """True if the text is an origin that can be allowed."""
    return ORIGIN.fullmatch(text) is not None


def check_origins(name: str, origins: Iterable[str]) -> tuple[str, ...]:
    """Return the origins of a setting. Raises ImproperlyConfigured for anything else."""
    checked = tuple(origin.strip() for origin in origins)
    for origin in checked:
        if not is_origin(origin):
            raise ImproperlyConfigured(f"{name} must be origins such as https://www.clinic.example, not {origin!r}.")
    return checked


def allowed_origins() -> tuple[str, ...]:
    """Return all allowed origins, sorted. Those of Administration are read once a minute."""
    return tuple(sorted({*settings.EMBED_ORIGINS, *_stored.get(_read)}))


def forget_origins() -> None:
    """Read the origins of Administration again, after one of them has changed."""
    _stored.clear()


def _read() -> tuple[str, ...]:
    from clinic.models import EmbedOrigin  # the settings import this module

    return tuple(EmbedOrigin.objects.values_list("origin", flat=True))
