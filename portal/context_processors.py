"""What every page's frame shows."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone

from clinic import branding
from portal import holds, languages, theme
from portal.callers import caller_of


def clinic(request: HttpRequest) -> dict[str, object]:
    """The clinic as it presents itself, who is signed in, and the languages to choose from."""
    caller = caller_of(request)
    return {
        **of_the_clinic(),
        "caller": caller,
        "languages": languages.names(),
        "held": lambda: holds.standing(request, caller, now=timezone.now()),
    }


def of_the_clinic() -> dict[str, str]:
    """What is the same for everyone and needs nothing but the settings."""
    logo = settings.CLINIC_LOGO_URL
    return {
        **branding.shown(),
        "clinic_logo": logo if branding.origin(logo) else static(logo or "img/mark.svg"),
        "theme_version": theme.version(),
    }
