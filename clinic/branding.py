"""What a clinic makes its own: its logo and its colour. A value that would not work stops the start.

Colours are reckoned as WCAG does: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

import re
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

READABLE = 4.5
# What text in the accent stands on, light and dark, as in static/css/tokens.css: the page and what is raised from it.
LIGHT: tuple[str, ...] = ("#f5f6f4", "#ffffff")
DARK: tuple[str, ...] = ("#0f161a", "#182126")
WHITE, BLACK = "#ffffff", "#000000"


def clinic_details() -> dict[str, str]:
    """What pages and messages show of the clinic, in the language of the moment."""
    return {
        "clinic_name": settings.CLINIC_NAME,
        "clinic_phone": settings.CLINIC_PHONE,
        "clinic_email": settings.CLINIC_EMAIL,
        "clinic_logo": settings.CLINIC_LOGO_URL,
        "emergency_notice": emergency_notice(),
        "privacy_url": settings.PRIVACY_URL,
    }


def emergency_notice() -> str:
    """What to do instead of booking: the clinic's own words, or ours around the number to call."""
    return settings.EMERGENCY_NOTICE or _("If this is an emergency, call %(phone)s.") % {"phone": emergency_phone()}


# The medical emergency number of countries where one besides 112 is known better, or 112 leads to the police.
# North America's +1 has 911.
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
    """The number to call in an emergency: EMERGENCY_PHONE, else that of CLINIC_COUNTRY.

    Asks the settings alone, for it is on the page that says that the database is away too.
    """
    country = settings.CLINIC_COUNTRY or "US"
    own = "911" if phonenumbers.country_code_for_region(country) == 1 else _EMERGENCY.get(country, "112")
    return settings.EMERGENCY_PHONE or own


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with so much of the other in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(mine + (its - mine) * share):02x}" for mine, its in pairs)


def check_accent(name: str, colour: str, grounds: tuple[str, ...]) -> str:
    """The colour as the setting `name` gives it, if it is one and text in it can be read; empty stays empty."""
    if not colour:
        return ""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ImproperlyConfigured(f"{name} must be a colour such as #0b5f6b, not {colour!r}.")
    worst = min(grounds, key=lambda ground: contrast(colour, ground))
    found = contrast(colour, worst)
    if found < READABLE:
        way = "darker" if _luminance(worst) > 0.5 else "lighter"
        raise ImproperlyConfigured(
            f"{name}={colour} cannot be read: its contrast on {worst} is {found:.1f}:1 and must be "
            f"{READABLE}:1 or more. Choose a {way} colour."
        )
    return colour.lower()


def lightened(colour: str) -> str:
    """The accent for the dark look: with just so much white in it that it can be read well there."""
    shares = (step / 20 for step in range(20))
    return next(
        (each for each in (mix(colour, WHITE, share) for share in shares) if contrast(each, DARK[1]) >= 7), WHITE
    )


def palette(accent: str, ground: str, towards: str) -> dict[str, str]:
    """The tokens that follow from an accent: itself, one that stands out more, a tint below it, what is on it."""
    shares = (step / 100 for step in range(14, 0, -1))
    tints = (mix(ground, accent, share) for share in shares)
    return {
        "accent": accent,
        "accent-strong": mix(accent, towards, 0.3),
        "accent-tint": next((each for each in tints if contrast(accent, each) >= READABLE), ground),
        "on-accent": ground,
    }


def check_logo(logo: str) -> str:
    """A file under static/ or an address that begins with https://; empty stays empty."""
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
    """A number as people write it; empty stays empty."""
    if re.fullmatch(r"[+(]?[0-9][0-9 ()./-]*|", phone):
        return phone
    raise ImproperlyConfigured(f"{name} must be a telephone number such as +1 212 555 0100, not {phone!r}.")


def check_email(name: str, email: str) -> str:
    """An email address; empty stays empty."""
    try:
        validate_email(email or "nobody@example.com")
    except ValidationError:
        raise ImproperlyConfigured(f"{name} must be an email address, not {email!r}.") from None
    return email


def check_address(name: str, address: str) -> str:
    """A page's address on the web or on this site; empty stays empty."""
    if re.fullmatch(r"(https://[^\s/]+\S*|/(?!/)\S*)?", address):
        return address
    raise ImproperlyConfigured(f"{name} must begin with https:// or with a single /, not {address!r}.")


def origin(address: str) -> str:
    """Where an address is, as a Content-Security-Policy names it; empty where it is on this site."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(each / 255) for each in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
