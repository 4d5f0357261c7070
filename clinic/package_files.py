"""The static files of npm packages: only those that pages use are collected, of folders that have many more."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder


class PackageFileFinder(FileSystemFinder):
    """Finder of the files of STATICFILES_DIRS that lists of each package only the files of PACKAGES."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        for path, storage in super().list(ignore_patterns):
            _folder, used = settings.PACKAGES.get(storage.prefix, (None, None))
            if used is None or path in used:
                yield path, storage
