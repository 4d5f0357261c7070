"""Editions of the files, as caches and repeated requests see them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.bulk_publish.files import ALL, REQUIRED, get, lines, local, statuses
from tests.factories import (
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def test_the_newest_version_is_not_modified(schedule, settings):
    settings.PUBLISHED_MAX_AGE = timedelta(days=36500)
    for path in (ALL, f"{ALL}/Slot.ndjson", f"{ALL}/Location.ndjson"):
        first = get(path)
        assert first["Cache-Control"] == "public, max-age=3153600000"
        for headers in ({"if_none_match": first["ETag"]}, {"if_modified_since": first["Last-Modified"]}):
            again = get(path, **headers)
            assert again.status_code == 304
            assert again["ETag"] == first["ETag"]


def test_a_booking_makes_a_new_edition_at_once(schedule, service, settings):
    settings.PUBLISHED_MAX_AGE = timedelta(minutes=1)
    first = get(f"{ALL}/Slot.ndjson")
    assert statuses()[local(monday(10))] == "free"
    SlotFactory(schedule=schedule, start=monday(10))
    second = get(f"{ALL}/Slot.ndjson", if_none_match=first["ETag"])
    assert second.status_code == 200
    assert statuses()[local(monday(10))] == "busy"


def test_a_day_that_is_known_is_not_computed_again(schedule, settings):
    settings.PUBLISHED_MAX_AGE = timedelta(minutes=1)
    lines("Slot")
    with CaptureQueriesContext(connection) as statements:
        lines("Slot")
    assert len(statements) == 1


def test_more_schedules_take_no_more_statements(schedule, service, place):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as statements:
            for kind in REQUIRED:
                lines(kind)
        counts.append(len(statements))
        for _ in range(3):
            ScheduleFactory(services=[service, ServiceFactory()], site=place)
    assert counts[0] == counts[1]


def test_the_file_of_slots_is_written_while_it_is_computed(schedule):
    answer = get(f"{ALL}/Slot.ndjson")
    assert answer.streaming
    with CaptureQueriesContext(connection) as statements:
        next(iter(answer))
    before = len(statements)
    with CaptureQueriesContext(connection) as statements:
        answer.getvalue()
    assert len(statements) > before
