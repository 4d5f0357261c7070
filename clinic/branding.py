"""The clinic's name, logo, colours and contact details: checks of their settings, and colours derived from the accent.

Contrast is computed as in WCAG: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

import re
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

READABLE = 4.5
# Backgrounds of text in the accent colour, as in static/css/tokens.css: the page, and raised surfaces.
LIGHT: tuple[str, ...] = ("#f5f6f4", "#ffffff")
DARK: tuple[str, ...] = ("#0f161a", "#182126")
WHITE, BLACK = "#ffffff", "#000000"


def clinic_details() -> dict[str, str]:
    """Return the clinic's details for the templates of pages and messages, in the active language."""
    return {
        "clinic_name": settings.CLINIC_NAME,
        "clinic_phone": settings.CLINIC_PHONE,
        "clinic_email": settings.CLINIC_EMAIL,
        "clinic_logo": settings.CLINIC_LOGO_URL,
        "emergency_notice": emergency_notice(),
        "privacy_url": settings.PRIVACY_URL,
    }


def emergency_notice() -> str:
    """Return the notice for emergencies: the clinic's own text, or a sentence with the number to call."""
    return settings.EMERGENCY_NOTICE or _("If this is an emergency, call %(phone)s.") % {"phone": emergency_phone()}


# The medical emergency number of countries where another number than 112 is common, or 112 reaches the police.
# Countries with the code +1 have 911.
_EMERGENCY = {
    **dict.fromkeys(("AR", "CL", "MX"), "911"),
    **dict.fromkeys(("GB", "HK", "KE"), "999"),
    **dict.fromkeys(("JP", "KR", "TW"), "119"),
    "AU": "000",
    "BR": "192",
    "CN": "120",
    "IL": "101",
    "NZ": "111",
    "SG": "995",
}


def emergency_phone() -> str:
    """Return the number to call in an emergency: EMERGENCY_PHONE, else that of CLINIC_COUNTRY.

    It reads only settings, since the error page shows it while the database is down.
    """
    country = settings.CLINIC_COUNTRY or "US"
    own = "911" if phonenumbers.country_code_for_region(country) == 1 else _EMERGENCY.get(country, "112")
    return settings.EMERGENCY_PHONE or own


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 for the same colour to 21 for black and white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """Return the colour mixed with a share, from 0 to 1, of the other."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(first + (second - first) * share):02x}" for first, second in pairs)


def check_accent(name: str, colour: str, backgrounds: tuple[str, ...]) -> str:
    """Return the colour of the setting `name`; empty if it is not set.

    Raises ImproperlyConfigured if it is not a colour, or if text in it cannot be read on the backgrounds.
    """
    if not colour:
        return ""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ImproperlyConfigured(f"{name} must be a colour such as #0b5f6b, not {colour!r}.")
    worst = min(backgrounds, key=lambda background: contrast(colour, background))
    ratio = contrast(colour, worst)
    if ratio < READABLE:
        direction = "darker" if _luminance(worst) > 0.5 else "lighter"
        raise ImproperlyConfigured(
            f"{name}={colour} cannot be read: its contrast on {worst} is {ratio:.1f}:1 and must be "
            f"{READABLE}:1 or more. Choose a {direction} colour."
        )
    return colour.lower()


def lightened(colour: str) -> str:
    """Return the accent for the dark theme: the colour with just enough white for a contrast of 7 or more."""
    mixes = (mix(colour, WHITE, step / 20) for step in range(20))
    return next((lighter for lighter in mixes if contrast(lighter, DARK[1]) >= 7), WHITE)


def palette(accent: str, background: str, strong: str) -> dict[str, str]:
    """Return the colour tokens that follow from an accent, with a stronger one mixed towards the colour `strong`."""
    tints = (mix(background, accent, step / 100) for step in range(14, 0, -1))
    return {
        "accent": accent,
        "accent-strong": mix(accent, strong, 0.3),
        "accent-tint": next((tint for tint in tints if contrast(accent, tint) >= READABLE), background),
        "on-accent": background,
    }


def check_logo(logo: str) -> str:
    """Return the logo: a path under static/, or an https address; empty if not set. Raises ImproperlyConfigured."""
    parts = urlsplit(logo)
    if parts.scheme or parts.netloc:
        if parts.scheme == "https" and re.fullmatch(r"[a-zA-Z0-9.-]+(:\d+)?", parts.netloc):
            return logo
    elif re.fullmatch(r"[\w./-]*", logo) and not logo.startswith("/") and ".." not in logo:
        return logo
    raise ImproperlyConfigured(
        f"CLINIC_LOGO_URL must be a path under static/, such as img/logo.svg, or begin with https://, not {logo!r}."
    )


def check_phone(name: str, phone: str) -> str:
    """Return the phone number of a setting; empty if it is not set. Raises ImproperlyConfigured."""
    if re.fullmatch(r"[+(]?[0-9][0-9 ()./-]*|", phone):
        return phone
    raise ImproperlyConfigured(f"{name} must be a telephone number such as +1 212 555 0100, not {phone!r}.")


def check_email(name: str, email: str) -> str:
    """Return the email address of a setting; empty if it is not set. Raises ImproperlyConfigured."""
    try:
        validate_email(email or "nobody@example.com")
    except ValidationError:
        raise ImproperlyConfigured(f"{name} must be an email address, not {email!r}.") from None
    return email


def check_address(name: str, address: str) -> str:
    """Return the address of a page, on the web or on this site; empty if it is not set. Raises ImproperlyConfigured."""
    if re.fullmatch(r"(https://[^\s/]+\S*|/(?!/)\S*)?", address):
        return address
    raise ImproperlyConfigured(f"{name} must begin with https:// or with a single /, not {address!r}.")


def origin(address: str) -> str:
    """Return the origin of an address for the Content-Security-Policy; empty if it is on this site."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
