"""System checks of the pages, by `manage.py check` and `collectstatic`."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError


def test_without_the_calendar_nothing_is_collected(settings, tmp_path):
    settings.EVENT_CALENDAR = tmp_path

    with pytest.raises(SystemCheckError, match=r"portal\.E001"):
        call_command("collectstatic", interactive=False, dry_run=True, verbosity=0, skip_checks=False)


def test_with_the_calendar_there_is_nothing_to_say(settings, tmp_path):
    settings.EVENT_CALENDAR = tmp_path
    for name in ("event-calendar.min.js", "event-calendar.min.css"):
        (tmp_path / name).touch()

    call_command("check", tag=["staticfiles"])
