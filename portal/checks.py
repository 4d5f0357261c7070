"""System checks of the pages."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.staticfiles)
def packages_are_installed(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Check that the npm packages of the staff's calendar and charts are installed: they are not in the repository."""
    files = [folder / name for folder, names in settings.PACKAGES.values() for name in names]
    missing = [file for file in files if not file.is_file()]
    if not missing:
        return []
    return [
        Error(
            f"The files of the staff's calendar and charts are not installed: {missing[0]} is missing.",
            hint="Run `npm ci --omit=dev --ignore-scripts` in the project's folder, or `python3 bootstrap.py setup`.",
            id="portal.E001",
        )
    ]
