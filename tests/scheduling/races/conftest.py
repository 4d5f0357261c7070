import pytest
from django.db.models import QuerySet

from clinic.models.statements import read


@pytest.fixture
def without(monkeypatch):
    """Remove a lock."""
    return lambda *locks: [monkeypatch.setattr(f"scheduling.booking.{lock}", lambda *_: None) for lock in locks]


@pytest.fixture
def without_row_locks(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr("scheduling.access.rows.read", lambda *named, lock: read(*named))
