"""System checks of the pages, by `manage.py check` and `collectstatic`."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from clinic.package_files import PackageFileFinder


@pytest.fixture
def package(settings, tmp_path):
    """The folder of a package with one file that pages use."""
    settings.PACKAGES = {"vendor/chart": (tmp_path, ("chart.js",))}
    settings.STATICFILES_DIRS = [("vendor/chart", tmp_path)]
    return tmp_path


def test_without_a_package_nothing_is_collected(package):
    with pytest.raises(SystemCheckError, match=r"portal\.E001"):
        call_command("collectstatic", interactive=False, dry_run=True, verbosity=0, skip_checks=False)


def test_of_a_package_only_the_files_that_pages_use_are_collected(package):
    for name in ("chart.js", "chart.d.ts"):
        (package / name).touch()
    call_command("check", tag=["staticfiles"])
    assert [path for path, _ in PackageFileFinder().list(None)] == ["chart.js"]
