"""Two members of staff who take one item of the worklist at the same moment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import WorkItem
from scheduling import worklist
from scheduling.access import Caller
from scheduling.worklist import ItemName, ItemTaken
from tests.factories import AppointmentFactory, LocationFactory, UserFactory
from tests.scheduling.situations import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def take(name, user):
    return lambda: worklist.take(name, caller=Caller(user=user), now=timezone.now())


def test_of_two_who_take_an_item_at_once_one_has_it_and_the_other_is_told_who():
    site = LocationFactory()
    people = [UserFactory(first_name=name, last_name="Reyes", desk_locations=[site]) for name in ("Dana", "Eli")]
    for _ in range(5):
        visit = AppointmentFactory(site=site, start=timezone.now() + timedelta(hours=20))
        name = ItemName(WorkItem.Kind.UNCONFIRMED, visit.pk)
        outcomes = at_once([take(name, user) for user in people])
        (taken,) = (each for each in outcomes if isinstance(each, WorkItem))
        (refusal,) = (each for each in outcomes if isinstance(each, ItemTaken))
        assert WorkItem.objects.get(kind=name.kind, row=name.row).owner == taken.owner
        assert str(refusal) == f"{taken.owner.first_name} Reyes has this already."
