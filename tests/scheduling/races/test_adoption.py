"""Two accounts of one name that prove one number at the same moment: only one gets the visits booked with it."""

from datetime import date
from functools import partial

import pytest
from django.utils import timezone

from clinic.models import Appointment, PatientMerge
from scheduling.access import Caller
from scheduling.interactions import adoption
from scheduling.interactions.adoption import Adoption
from tests.factories import AppointmentFactory, PatientFactory, UserFactory
from tests.scheduling.races.arena import slow
from tests.scheduling.situations import at_once

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+12125550199"
EVE = {"given": "Eve", "family": "Stone", "birth_date": date(1985, 3, 27)}


def test_one_account_gets_the_records(db):
    AppointmentFactory(patient=PatientFactory(**EVE, phone=NUMBER))
    own = [PatientFactory(**EVE, user=UserFactory()) for _ in range(2)]
    with slow("clinic_patient"):
        results = at_once(
            [partial(adoption.adopt_records, NUMBER, caller=Caller(user=each.user), now=timezone.now()) for each in own]
        )
    assert results.count(Adoption.DONE) == 1
    assert PatientMerge.objects.get().target == Appointment.objects.get().patient
    assert Appointment.objects.get().patient == own[results.index(Adoption.DONE)]
