"""The request of a patient to delete everything about them, until the clinic has answered it."""

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Erasure, StaffRole
from scheduling import personal_data
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, RuleBroken
from tests.factories import PatientFactory, RelatedPersonFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(db):
    user = UserFactory()
    StaffRole.objects.create(user=user, role="owner")
    return Caller(user=user)


def ask(patient, user):
    return personal_data.ask_erasure(patient.fhir_id, caller=Caller(user=user), now=timezone.now())


def withdraw(patient, user):
    personal_data.withdraw_erasure(patient.fhir_id, caller=Caller(user=user), now=timezone.now())


def decline(patient, caller, reason="The law makes us keep it until 2030."):
    personal_data.decline_erasure(patient.fhir_id, reason, caller=caller, now=timezone.now())


def test_a_patient_asks_once_however_often_they_press_the_button(ada):
    assert ask(ada, ada.user).pk == ask(ada, ada.user).pk
    assert AuditEvent.objects.get(patient=ada).subtype == "erasure asked"


def test_a_patient_takes_it_back_and_asks_again(ada, manager):
    ask(ada, ada.user)
    withdraw(ada, ada.user)
    assert not personal_data.waiting_requests(manager).exists()
    with pytest.raises(RuleBroken):
        withdraw(ada, ada.user)
    ask(ada, ada.user)
    assert personal_data.waiting_requests(manager).get().patient == ada


def test_a_request_that_is_declined_tells_why(ada, manager):
    ask(ada, ada.user)
    decline(ada, manager)
    last = personal_data.latest_request(ada)
    assert (last.status, last.reason) == ("declined", "The law makes us keep it until 2030.")
    with pytest.raises(RuleBroken):
        withdraw(ada, ada.user)


def test_a_parent_asks_for_a_child_without_an_account(ada):
    mia = PatientFactory(given="Mia")
    RelatedPersonFactory(patient=mia, user=ada.user)
    assert ask(mia, ada.user).requested_by == ada.user


def test_nobody_asks_for_somebody_with_an_account_of_their_own(ada, bo):
    RelatedPersonFactory(patient=bo, user=ada.user)
    with pytest.raises(Forbidden):
        ask(bo, ada.user)
    with pytest.raises(Forbidden):
        ask(ada, bo.user)
    assert not Erasure.objects.exists()


def test_only_those_who_run_the_clinic_see_and_decline_requests(ada, rana, manager):
    ask(ada, ada.user)
    for caller in (Caller(user=rana), Caller(user=ada.user)):
        assert not personal_data.waiting_requests(caller).exists()
        with pytest.raises(Forbidden):
            decline(ada, caller)
    decline(ada, manager)


def test_there_is_nothing_to_ask_for_without_a_record(ada):
    with pytest.raises(NotFound):
        personal_data.ask_erasure("nobody", caller=Caller(user=ada.user), now=timezone.now())
