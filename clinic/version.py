"""The version of this software, which pyproject.toml states."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """Return the version of this software."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])
