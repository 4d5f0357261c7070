"""System checks of the pages."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

CALENDAR_FILES = ("event-calendar.min.js", "event-calendar.min.css")


@register(Tags.staticfiles)
def calendar_is_installed(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Check that the npm package of the staff's calendar is installed: it is not in the repository."""
    missing = [name for name in CALENDAR_FILES if not (settings.EVENT_CALENDAR / name).is_file()]
    if not missing:
        return []
    return [
        Error(
            f"The staff's calendar is not installed: {settings.EVENT_CALENDAR / missing[0]} is missing.",
            hint="Run `npm ci --omit=dev --ignore-scripts` in the project's folder, or `python3 bootstrap.py setup`.",
            id="portal.E001",
        )
    ]
