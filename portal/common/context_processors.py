"""Context processor for the frame of every page."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static

from clinic import branding
from clinic.embedding import allowed_origins
from portal.common import languages, theme
from portal.common.callers import caller_of
from portal.common.frames import frame_of


def clinic(request: HttpRequest) -> dict[str, object]:
    """Add the clinic's branding, the caller, the languages to choose from, and the frame that the page is in."""
    frame = frame_of(request)
    of_frame = {"theme_version": theme.version(frame), "frame_origins": " ".join(allowed_origins())} if frame else {}
    return {
        **of_the_clinic(),
        **of_frame,
        "frame": frame,
        "caller": caller_of(request),
        "languages": languages.names(),
    }


def of_the_clinic() -> dict[str, str]:
    """Return the part of the frame's context that comes from the settings alone."""
    logo = settings.CLINIC_LOGO_URL
    return {
        **branding.clinic_details(),
        "clinic_logo": logo if branding.origin(logo) else static(logo or "img/mark.svg"),
        "theme_version": theme.version(),
    }
