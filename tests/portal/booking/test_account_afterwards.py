"""A guest's visits in the account that they create afterwards."""

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains

from clinic.models import AuditEvent, Patient, User
from portal.booking import guests
from tests.factories import AppointmentFactory, PatientFactory, UserFactory
from tests.portal.booking.steps import book_as_guest, page_of
from tests.portal.eve import KNOWN, SIGN_UP

pytestmark = pytest.mark.django_db


def test_a_guests_visit_is_in_their_new_account(client, held):
    book_as_guest(client, held)
    assertContains(client.get(page_of(held, "booked")), "Create an account")
    client.post("/accounts/signup/", SIGN_UP)
    held.refresh_from_db()
    assert held.patient.user == User.objects.get(email="eve@example.com")
    assertContains(client.get("/appointments/"), "Check-up")
    lines = AuditEvent.objects.filter(user=held.patient.user, patient=held.patient, subtype="update")
    assert lines.count() == 1


def test_an_account_with_another_name_gets_nothing(client, held):
    book_as_guest(client, held)
    client.post("/accounts/signup/", {**SIGN_UP, "given": "Adam"})
    held.refresh_from_db()
    assert held.patient.user is None


def test_an_address_that_was_not_proven_gets_nothing(client):
    before = PatientFactory(**KNOWN)
    client.post("/accounts/signup/", SIGN_UP)
    before.refresh_from_db()
    assert before.user is None


def test_an_address_that_is_proven_later_gets_it_then(client):
    from allauth.account.models import EmailAddress
    from allauth.account.signals import email_confirmed

    before = PatientFactory(**KNOWN)
    client.post("/accounts/signup/", SIGN_UP)
    address = EmailAddress.objects.get()
    address.verified = True
    address.save()
    email_confirmed.send(EmailAddress, request=None, email_address=address)
    before.refresh_from_db()
    assert before.user == address.user
    assert Patient.objects.filter(deleted_at=None).count() == 1


def test_a_record_that_has_been_used_stays(client):
    before = PatientFactory(**KNOWN)
    user = UserFactory(email="eve@example.com")
    used = PatientFactory(**KNOWN, user=user)
    AppointmentFactory(patient=used)
    guests.adopt(user, now=timezone.now())
    used.refresh_from_db()
    before.refresh_from_db()
    assert (used.user, before.user) == (user, None)
