"""The link of a referral: the patient proves who they are, chooses a time, and books one visit."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, HealthcareService, ServiceRequest
from scheduling.notifications import links
from tests.factories import ReferralFactory, UserFactory
from tests.portal.booking.steps import book_as_guest, page_of
from tests.portal.conftest import Browser
from tests.scheduling.situations import run_out

pytestmark = pytest.mark.django_db(transaction=True)

BORN = {"birth_date_day": "27", "birth_date_month": "3", "birth_date_year": "1985"}


@pytest.fixture
def checkup(checkup):
    checkup.bookable_by = HealthcareService.BookableBy.REFERRED
    checkup.save()
    return checkup


@pytest.fixture
def referral(checkup, elena):
    return ReferralFactory(service=checkup, patient=elena, patient_name="Elena Marquez")


@pytest.fixture
def address(referral, settings):
    return address_of(referral, settings)


def address_of(referral, settings):
    return links.ticket_link(referral).removeprefix(settings.SITE_URL)


def text(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def choose(client, checkup, button_value):
    client.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value})
    return Appointment.objects.filter(hold_expires_at__isnull=False).latest("pk")


def test_without_the_link_the_service_is_not_there(client, checkup, schedule, button_value):
    assert "Check-up" not in text(client.get("/"))
    assert client.get(f"/book/{checkup.fhir_id}/").status_code == 404
    assert client.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value}).status_code == 404


def test_the_reason_and_the_times_follow_after_the_date_of_birth(client, address, checkup, schedule):
    page = text(client.get(address))
    assert "Dr Noor Grey, Harbour Practice refers you to" in page
    assert "Check-up" in page
    assert "mole" not in page
    assert "Marquez" not in page
    assert "does not match the referral" in text(client.post(address, BORN | {"birth_date_day": "26"}))
    assert client.get(f"/book/{checkup.fhir_id}/").status_code == 404

    client.post(address, BORN)

    page = text(client.get(address))
    assert "A mole that has changed" in page
    assert client.post(address).url == f"/book/{checkup.fhir_id}/"
    assert client.get(f"/book/{checkup.fhir_id}/").status_code == 200


def test_the_patient_books_once_for_themselves(client, address, referral, elena, checkup, schedule, button_value):
    client.post(address, BORN)
    held = choose(client, checkup, button_value)
    assert (held.patient, held.referral) == (elena, referral)
    review = text(client.get(page_of(held, "confirm")))
    assert "Elena Maria Marquez" in review

    client.post(page_of(held, "confirm"))

    held.refresh_from_db()
    assert held.status == "booked"
    assert client.get(page_of(held, "booked")).status_code == 200
    page = text(client.get(address))
    assert "A visit is booked with this referral" in page
    assert client.get(f"/appointments/{held.fhir_id}/move/").status_code == 200
    client.post(f"/appointments/{held.fhir_id}/cancel/", {"reason": ""})
    assert "Choose a time" in text(client.get(address)), "cancelling frees it"


def test_the_patient_goes_on_in_another_browser(client, address, checkup, schedule, button_value):
    client.post(address, BORN)
    held = choose(client, checkup, button_value)
    assert client.post(address).url == page_of(held, "confirm")
    other = Browser()
    assert other.get(page_of(held, "confirm")).status_code == 302, "not before the date of birth"
    other.post(address, BORN)
    assert "Continue with your time" in text(other.get(address))
    assert other.post(address).url == page_of(held, "confirm")


def test_without_a_name_another_browser_waits_and_sees_nothing(client, checkup, schedule, button_value, settings):
    referral = ReferralFactory(service=checkup, patient=None)
    address = address_of(referral, settings)
    client.post(address)
    held = choose(client, checkup, button_value)
    other = Browser()
    other.post(address)
    assert "A time is being held with this referral until" in text(other.get(address))
    other.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value})
    assert Appointment.objects.count() == 1

    run_out(held)

    other.post(address)
    assert choose(other, checkup, button_value).referral == referral
    book_as_guest(other, Appointment.objects.latest("pk"))
    visit = Appointment.objects.get(status="booked")
    assert client.get(f"/appointments/{visit.fhir_id}/").status_code in (302, 404), "it is the other's now"
    assert "Choose a time" not in text(client.get(address))


def test_a_link_that_names_nobody_is_for_whoever_has_it(client, checkup, schedule, button_value, settings):
    referral = ReferralFactory(service=checkup, patient=None)
    address = address_of(referral, settings)
    assert "A mole that has changed" in text(client.get(address))
    assert client.post(address).url == f"/book/{checkup.fhir_id}/"
    held = choose(client, checkup, button_value)
    assert held.patient is None

    book_as_guest(client, held)

    referral.refresh_from_db()
    held.refresh_from_db()
    assert referral.patient == held.patient


def test_a_patient_with_an_account_proves_nothing_more(client, ada, checkup, schedule, settings):
    referral = ReferralFactory(service=checkup, patient=ada)
    client.force_login(ada.user)
    assert client.post(address_of(referral, settings)).url == f"/book/{checkup.fhir_id}/"


def test_somebody_else_who_is_signed_in_books_for_the_patient(
    client, address, elena, checkup, schedule, button_value, bo
):
    client.force_login(bo.user)
    client.post(address, BORN)
    held = choose(client, checkup, button_value)
    client.post(page_of(held, "confirm"))
    held.refresh_from_db()
    assert (held.status, held.patient) == ("booked", elena)
    client.logout()
    client.force_login(bo.user)
    assert client.get(f"/appointments/{held.fhir_id}/").status_code == 404, "only with the link"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "revoked"}, "This referral was withdrawn"),
        ({"valid_until": timezone.now() - timedelta(days=1)}, "This referral has expired"),
        ({"status": "completed"}, "This referral has been used"),
        ({"status": "on-hold"}, "This referral cannot be used yet"),
    ],
)
def test_a_link_that_gives_nothing_says_why(fields, words, client, address, referral):
    ServiceRequest.objects.filter(pk=referral.pk).update(**fields)
    page = text(client.get(address))
    assert words in page
    assert "Date of birth" not in page


def test_a_wrong_link_and_a_patient_without_birth_date(client, address, elena):
    assert client.get("/r/nothing/").status_code == 404
    assert client.get(address[:-2] + "_/").status_code == 404
    elena.birth_date = None
    elena.save()
    assert "does not know the patient" in text(client.get(address))


def test_guessing_is_limited(client, address):
    for number in range(1, 6):
        client.post(address, BORN | {"birth_date_day": str(number)})
    assert "Too many wrong attempts" in text(client.post(address, BORN))


def test_staff_see_it_at_the_visit_and_in_the_list(client, rana, address, referral, checkup, schedule, button_value):
    client.post(address, BORN)
    held = choose(client, checkup, button_value)
    client.post(page_of(held, "confirm"))
    desk = Browser()
    desk.force_login(rana)
    for page in (f"/staff/appointments/{held.fhir_id}/", f"/staff/visits/{held.fhir_id}/"):
        assert "Dr Noor Grey, Harbour Practice" in text(desk.get(page))
        assert "A mole that has changed" in text(desk.get(page))
    assert "Elena Maria Marquez" in text(desk.get("/staff/referrals/", {"state": "booked"}))
    assert "No referrals in this state" in text(desk.get("/staff/referrals/", {"state": "open"}))
    page = text(desk.get(f"/staff/referrals/{referral.fhir_id}/"))
    assert "Booked" in page
    assert f"/staff/appointments/{held.fhir_id}/" in page


def test_the_desk_withdraws_and_other_desks_do_not_see_it(client, rana, site, schedule, referral):
    client.force_login(UserFactory(desk_locations=[]))
    assert client.get(f"/staff/referrals/{referral.fhir_id}/").status_code == 403
    client.force_login(rana)
    client.post(f"/staff/referrals/{referral.fhir_id}/withdraw/")
    referral.refresh_from_db()
    assert referral.status == "revoked"
