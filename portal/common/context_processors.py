"""Context processor for the frame of every page."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static

from clinic import branding
from portal.common import languages, theme
from portal.common.callers import caller_of


def clinic(request: HttpRequest) -> dict[str, object]:
    """Add the clinic's branding, the caller, and the languages to choose from."""
    return {
        **of_the_clinic(),
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
