"""The clinic's own colour, as a stylesheet: nothing may be written into a page's style."""

import hashlib

from django.conf import settings

from clinic import branding


def css() -> str:
    """The tokens that follow from the clinic's accent, for the light look and the dark; empty where it has none."""
    if not settings.CLINIC_ACCENT:
        return ""
    dark = settings.CLINIC_ACCENT_DARK or branding.lightened(settings.CLINIC_ACCENT)
    light = branding.palette(settings.CLINIC_ACCENT, branding.WHITE, branding.BLACK)
    return (
        f"@media screen {{ :root {{ {_tokens(light)} }} }}\n"
        "@media screen and (prefers-color-scheme: dark) { "
        f":root {{ {_tokens(branding.palette(dark, branding.DARK[0], branding.WHITE))} }} }}\n"
    )


def version() -> str:
    """Another one for each colour, for browsers keep the stylesheet by it; empty where there is none."""
    return hashlib.sha256(css().encode()).hexdigest()[:16] if settings.CLINIC_ACCENT else ""


def _tokens(values: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())
