"""One clinic for all tests of a module."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.api.access.world import World


@pytest.fixture(scope="module")
def shared_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The clinic in a transaction around the tests of the module, each of which is a savepoint in it."""
    with django_db_blocker.unblock(), transaction.atomic():
        shared_world = World()
        with django_db_blocker.block():
            yield shared_world
        transaction.set_rollback(True)


@pytest.fixture
def world(shared_world: World, db: None) -> World:
    """The clinic as it was made, whatever other tests did to its rows."""
    return deepcopy(shared_world)
