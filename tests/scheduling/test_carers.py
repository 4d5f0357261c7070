"""Carers whom a patient invites, what they see, and the end of a parent's access with childhood."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from clinic import childhood
from clinic.models import AuditEvent, Communication, Coverage, Medium, Patient, QuestionnaireResponse, RelatedPerson
from scheduling import access, carers, notifications
from scheduling.access import Caller
from scheduling.carers import INVITATION_LASTS, Invitation
from scheduling.errors import Forbidden, NotFound, RuleBroken
from scheduling.notifications.audience import addresses_of, audience_of
from tests.factories import (
    AppointmentFactory,
    CoverageFactory,
    PatientFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VISITS, ALL = RelatedPerson.Access.VISITS, RelatedPerson.Access.ALL


@pytest.fixture
def as_ada(ada):
    return Caller(user=ada.user)


@pytest.fixture
def bos_account(bo):
    return Caller(user=bo.user)


def invite(caller, *, access=VISITS, address="bo@example.com", now=NOW):
    return carers.invite(Invitation(address, access, "SPS"), caller=caller, now=now)


def test_whom_a_patient_invites_may_act_once_they_accept(ada, bo, as_ada, bos_account):
    carer = invite(as_ada)
    message = Communication.objects.get()
    assert (message.event, message.medium, message.address) == ("invitation", "email", "bo@example.com")
    assert message.patient == ada
    assert notifications.links.invitation_link(carer) in message.body
    assert ada.pk not in Caller(user=bo.user).patients
    carers.accept(carer.fhir_id, caller=bos_account, now=NOW)
    assert list(Caller(user=bo.user).patients) == [bo.pk, ada.pk]
    carers.end(carer.fhir_id, caller=bos_account, now=NOW)
    assert list(Caller(user=bo.user).patients) == [bo.pk]
    lines = AuditEvent.objects.order_by("pk").values_list("subtype", "action", "user", "patient")
    assert list(lines) == [
        ("invite-carer", "C", ada.user.pk, ada.pk),
        ("accept-invitation", "U", bo.user.pk, ada.pk),
        ("end-carer", "D", bo.user.pk, ada.pk),
    ]


@pytest.mark.parametrize(("shared", "sees"), [(VISITS, False), (ALL, True)])
def test_a_carer_sees_what_the_patient_shares(ada, bo, as_ada, bos_account, shared, sees):
    CoverageFactory(beneficiary=ada)
    visit = AppointmentFactory(patient=ada)
    QuestionnaireResponseFactory(patient=ada, appointment=visit)
    carers.accept(invite(as_ada, access=shared).fhir_id, caller=bos_account, now=NOW)
    bo_now = Caller(user=bo.user)
    assert access.visible(type(visit), bo_now).contains(visit)
    assert access.visible(RelatedPerson, bo_now).exists()
    access.may_be_for(bo_now, ada)
    assert access.visible(Coverage, bo_now).exists() == sees
    assert access.visible(QuestionnaireResponse, bo_now).exists() == sees
    assert access.may_see_answers(bo_now, visit) == sees
    change = {"phone": "+12125550100", "extra": {}}
    if sees:
        access.may_write(bo_now, "Patient", ada.fhir_id, change, ada)
    else:
        with pytest.raises(Forbidden):
            access.may_write(bo_now, "Patient", ada.fhir_id, change, ada)


def test_only_the_patient_or_the_carer_ends_it(ada, as_ada, bos_account, rana):
    carer = invite(as_ada)
    carers.accept(carer.fhir_id, caller=bos_account, now=NOW)
    for other in (Caller(user=rana), Caller(user=UserFactory()), Caller(), Caller(user=ada.user, client="app")):
        with pytest.raises(Forbidden):
            carers.end(carer.fhir_id, caller=other, now=NOW)
    carers.end(carer.fhir_id, caller=as_ada, now=NOW)
    with pytest.raises(NotFound):
        carers.end(carer.fhir_id, caller=as_ada, now=NOW)


def test_nobody_shares_the_record_of_another(rana):
    with pytest.raises(Forbidden):
        invite(Caller(user=rana))


@pytest.mark.parametrize("caller_is", ["nobody", "ada", "app"])
def test_an_invitation_is_accepted_by_another_person(as_ada, ada, bo, caller_is):
    carer = invite(as_ada)
    callers = {"nobody": Caller(), "ada": as_ada, "app": Caller(user=bo.user, client="app")}
    with pytest.raises(RuleBroken):
        carers.accept(carer.fhir_id, caller=callers[caller_is], now=NOW)


def test_an_invitation_lasts_seven_days_and_is_answered_once(as_ada, bos_account):
    carer = invite(as_ada)
    with pytest.raises(RuleBroken):
        carers.accept(carer.fhir_id, caller=bos_account, now=NOW + INVITATION_LASTS)
    carers.decline(carer.fhir_id, caller=Caller(), now=NOW)
    with pytest.raises(NotFound):
        carers.accept(carer.fhir_id, caller=bos_account, now=NOW)


def test_the_latest_invitation_counts(as_ada, ada, bo, bos_account):
    first, second = invite(as_ada), invite(as_ada, access=ALL)
    with pytest.raises(NotFound):
        carers.accept(first.fhir_id, caller=bos_account, now=NOW)
    carers.accept(second.fhir_id, caller=bos_account, now=NOW)
    carers.accept(invite(as_ada).fhir_id, caller=bos_account, now=NOW)
    assert ada.pk not in Caller(user=bo.user).confided
    assert RelatedPerson.objects.filter(user=bo.user, deleted_at=None).count() == 1


def test_five_invitations_wait_at_once(as_ada):
    for number in range(5):
        invite(as_ada, address=f"friend{number}@example.com")
    with pytest.raises(RuleBroken):
        invite(as_ada, address="friend5@example.com")
    invite(as_ada, address="friend4@example.com")
    invite(as_ada, address="friend5@example.com", now=NOW + INVITATION_LASTS)


@pytest.fixture
def child(settings):
    """Tim, whose birthday is today by the clinic's clock, and his mother's RelatedPerson."""
    settings.CLINIC_TIME_ZONE = "America/New_York"
    today = timezone.now().astimezone(childhood.clinic_zone()).date()
    settings.ADULT_AGE = settings.YOUNG_ACCESS_AGE = 10
    born = today.replace(year=today.year - 10, day=min(today.day, 28))
    patient = PatientFactory(given="Tim", birth_date=born, email="")
    return RelatedPersonFactory(patient=patient, user=UserFactory(email="grace@example.com"))


def patients_of(carer):
    return [patient.given for patient in Caller(user=carer.user).patients.values()]


def test_a_parents_access_ends_on_the_birthday_though_no_task_has_run(child, settings):
    settings.ADULT_AGE = settings.YOUNG_ACCESS_AGE = 11
    assert patients_of(child) == ["Tim"]
    settings.ADULT_AGE = settings.YOUNG_ACCESS_AGE = 10
    assert patients_of(child) == []
    assert not access.visible(Patient, Caller(user=child.user)).exists()
    visit = AppointmentFactory(patient=child.patient)
    assert audience_of(visit, now=timezone.now()).emails == ()
    assert addresses_of(child.patient, now=timezone.now())[Medium.EMAIL] == ()
    with pytest.raises(Forbidden):
        access.may_be_for(Caller(user=child.user), child.patient)


def test_it_stays_where_the_clinic_or_the_grown_child_wants_it(child):
    child.keeps_access = True
    child.save()
    assert patients_of(child) == ["Tim"]
    visit = AppointmentFactory(patient=child.patient)
    assert audience_of(visit, now=timezone.now()).emails == ("grace@example.com",)
    assert addresses_of(child.patient, now=timezone.now())[Medium.EMAIL] == ("grace@example.com",)
    RelatedPerson.objects.update(access=VISITS)
    assert addresses_of(child.patient, now=timezone.now())[Medium.EMAIL] == ()


def test_others_than_parents_keep_their_access(child):
    child.relationship = [{"coding": [{"code": "SIB"}]}]
    child.save()
    assert patients_of(child) == ["Tim"]


def test_the_parents_and_the_young_person_are_told_once_a_month_ahead(child):
    patient = child.patient
    Patient.objects.filter(pk=patient.pk).update(email="tim@example.com")
    day = childhood.of_age_on(patient.birth_date)
    noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    assert carers.tell_of_age(now=noon - timedelta(days=31)) == 0
    assert carers.tell_of_age(now=noon - timedelta(days=30)) == 1
    assert carers.tell_of_age(now=noon - timedelta(days=1)) == 0
    messages = Communication.objects.filter(event="of-age").order_by("pk")
    assert [message.address for message in messages] == ["tim@example.com", "grace@example.com"]
    assert "Tim" in messages[0].subject
    assert f"{day.year}" in messages[0].body


def test_nobody_is_told_on_the_day_itself_or_without_a_parent(child):
    day = childhood.of_age_on(child.patient.birth_date)
    noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    assert carers.tell_of_age(now=noon) == 0
    RelatedPerson.objects.update(relationship=[])
    assert carers.tell_of_age(now=noon - timedelta(days=9)) == 0
