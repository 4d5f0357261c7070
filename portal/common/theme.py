"""Stylesheet of the clinic's accent colour, or of a frame's look: the security policy does not allow inline styles."""

import hashlib
import re
from functools import cache

from django.conf import settings

from clinic import branding
from portal.common.frames import Frame

DARK = "screen and (prefers-color-scheme: dark)"
TOKENS = "static/css/tokens.css"
LARGER = 1.6  # how much larger the radius of panels is than that of controls


def css(frame: Frame | None = None) -> str:
    """Return the CSS custom properties of the accent for the light and the dark theme, and of the frame's look.

    Empty without an accent and a look.
    """
    theme = frame.theme if frame else ""
    rules = [("screen", {"color-scheme": theme, **_colours(theme)})] if theme else []
    palettes = _palettes((frame.accent if frame else "") or settings.CLINIC_ACCENT)
    if palettes and theme:
        rules.append(("screen", palettes[theme]))
    elif palettes:
        rules += [("screen", palettes["light"]), (DARK, palettes["dark"])]
    if frame and frame.radius is not None:
        rules.append(("screen", {"--radius": f"{frame.radius}px", "--radius-l": f"{round(frame.radius * LARGER)}px"}))
    return "".join(f"@media {media} {{ :root {{ {_declarations(values)} }} }}\n" for media, values in rules)


def version(frame: Frame | None = None) -> str:
    """Return a digest of the stylesheet for its address, so that browsers notice a change; empty without a sheet."""
    sheet = css(frame) if frame or settings.CLINIC_ACCENT else ""
    return hashlib.sha256(sheet.encode()).hexdigest()[:16] if sheet else ""


def _palettes(accent: str) -> dict[str, dict[str, str]]:
    """The colours that follow from an accent, by theme; empty without an accent."""
    if not accent:
        return {}
    own = settings.CLINIC_ACCENT_DARK if accent == settings.CLINIC_ACCENT else ""
    palettes = {
        "light": branding.palette(accent, branding.WHITE, branding.BLACK),
        "dark": branding.palette(own or branding.lightened(accent), branding.DARK[0], branding.WHITE),
    }
    return {theme: {f"--{name}": colour for name, colour in palette.items()} for theme, palette in palettes.items()}


@cache
def _colours(theme: str) -> dict[str, str]:
    """The colours of the light or the dark theme, as in the stylesheet of the tokens."""
    sheet = (settings.BASE_DIR / TOKENS).read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\n *\}", sheet, re.DOTALL)
    by_theme = {
        name: dict(re.findall(r"(--[\w-]+): ([^;]+);", block)) for name, block in (("light", light), ("dark", dark))
    }
    return {name: by_theme[theme][name] for name in by_theme["dark"]}


def _declarations(values: dict[str, str]) -> str:
    return " ".join(f"{name}: {value};" for name, value in values.items())
