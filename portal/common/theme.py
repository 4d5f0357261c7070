"""Stylesheet of the clinic's accent colour: the security policy does not allow inline styles."""

import hashlib

from django.conf import settings

from clinic import branding


def css() -> str:
    """Return the CSS custom properties of the accent for the light and the dark theme; empty without an accent."""
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
    """Return a digest of the stylesheet for its address, so that browsers notice a change; empty without an accent."""
    return hashlib.sha256(css().encode()).hexdigest()[:16] if settings.CLINIC_ACCENT else ""


def _tokens(values: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())
