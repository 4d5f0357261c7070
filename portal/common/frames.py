"""Frames: booking pages shown within a site of the clinic's own, below /embed/<options>/.

The options are a part of the path, so that they stay from page to page without cookies and scripts: `-` for none, or
`accent-0b5f6b,theme-dark,language-es,radius-8`. Unknown options and values are ignored.
"""

import re
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from clinic import branding

ROOT = "/embed/"
PATH = re.compile(r"/embed/(?P<options>[a-z0-9,-]{1,100})(?P<path>/.*)", re.DOTALL)
WIDEST_RADIUS = 24  # px
_ATTRIBUTE = "frame"

# The pages from the list of visits to the booked one. A frame has its own session, so they show nothing of an account.
PAGES = frozenset(
    f"portal:{name}"
    for name in (
        *("services", "near", "practitioner", "site", "photo", "choose-time"),
        *("hold", "deep-link", "let-go", "keep", "presence", "needs", "course", "confirm", "booked", "ics"),
        *("about", "also", "about-details", "details-check", "proof", "coverage", "new-coverage"),
        *("questions", "questions-stop", "questions-part", "questions-save", "set-language", "theme"),
    )
)


@dataclass(frozen=True, slots=True)
class Frame:
    """The look of a frame: its accent colour, `light` or `dark`, its language, and the radius of its corners in px.

    `prefix` is the part of the path before that of the page.
    """

    prefix: str
    accent: str = ""
    theme: str = ""
    language: str = ""
    radius: int | None = None


def read_frame(prefix: str, options: str) -> Frame:
    """Return the frame with these options, without those that are not valid."""
    values = dict(option.split("-", 1) for option in options.split(",") if "-" in option[1:])
    radius = values.get("radius", "")
    return Frame(
        prefix=prefix,
        accent=_accent(f"#{values.get('accent', '')}"),
        theme=values["theme"] if values.get("theme") in ("light", "dark") else "",
        language=values["language"] if values.get("language") in dict(settings.LANGUAGES) else "",
        radius=int(radius) if re.fullmatch(r"[0-9]{1,2}", radius) and int(radius) <= WIDEST_RADIUS else None,
    )


def frame_of(request: HttpRequest) -> Frame | None:
    """Return the frame in which the request's page is shown, or None."""
    frame: Frame | None = getattr(request, _ATTRIBUTE, None)
    return frame


def set_frame(request: HttpRequest, frame: Frame) -> None:
    setattr(request, _ATTRIBUTE, frame)


def _accent(colour: str) -> str:
    """The colour if it is one in which text can be read, else nothing."""
    try:
        return branding.check_accent("accent", colour, branding.LIGHT)
    except ImproperlyConfigured:
        return ""
