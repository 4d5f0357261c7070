"""The pages of a referrer: they make referrals, book for patients, and see what became of it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from clinic.models import Appointment, HealthcareService, Patient, ServiceRequest
from tests.factories import AppointmentFactory, ReferralFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

PATIENT = {
    "given": "Elena Maria",
    "family": "Marquez",
    "birth_date_day": "27",
    "birth_date_month": "3",
    "birth_date_year": "1985",
    "phone": "(212) 555-0199",
}
PDF = b"%PDF-1.7 a letter"


@pytest.fixture
def checkup(checkup):
    checkup.bookable_by = HealthcareService.BookableBy.REFERRED
    checkup.save()
    return checkup


@pytest.fixture
def noor(db):
    return UserFactory(email="noor@example.org", first_name="Noor", last_name="Grey", refers_for="Harbour Practice")


@pytest.fixture
def as_noor(client, noor):
    client.force_login(noor)
    return client


def day(ahead):
    until = timezone.now().date() + timedelta(days=ahead)
    return {"valid_until_day": until.day, "valid_until_month": until.month, "valid_until_year": until.year}


def make(client, service, /, **typed):
    """Send the form of a new referral, with the dates in the form's own names."""
    fields = {"service": service.fhir_id, "reason": "A mole that has changed", **day(30), **typed}
    return client.post("/referrals/new/", {name: value for name, value in fields.items() if value is not None})


def test_a_referrer_starts_at_their_referrals_and_sees_nothing_else(as_noor, visit):
    assert as_noor.get("/start/").url == "/referrals/"
    page = as_noor.get("/referrals/").content.decode()
    assert "No referrals yet" in page
    assert "My visits" not in page
    assert as_noor.get(f"/appointments/{visit.fhir_id}/").status_code == 404
    assert as_noor.get("/staff/referrals/").status_code == 403


def test_others_are_no_referrers(client, ada, checkup):
    assert client.get("/referrals/").status_code == 302
    client.force_login(ada.user)
    for address in ("/referrals/", "/referrals/new/"):
        assert client.get(address).status_code == 403


def test_a_link_that_names_nobody(as_noor, noor, checkup, schedule):
    answer = make(as_noor, checkup)
    referral = ServiceRequest.objects.get()
    assert answer.url == f"/referrals/{referral.fhir_id}/"
    assert (referral.service, referral.patient, referral.referred_by) == (checkup, None, noor)
    page = as_noor.get(answer.url).content.decode()
    assert "/r/" in page
    assert "Nobody is named yet" in page


def test_a_patient_who_is_known_is_matched_and_the_referrer_does_not_hear_it(as_noor, checkup, schedule, elena):
    make(as_noor, checkup, **PATIENT)
    make(as_noor, checkup, **PATIENT | {"family": "Newcomer"})
    known, new = ServiceRequest.objects.order_by("pk")
    assert known.patient == elena
    assert new.patient not in (None, elena)
    assert Patient.objects.count() == 2
    pages = [as_noor.get(f"/referrals/{each.fhir_id}/").content.decode() for each in (known, new)]
    for word in ("MRN-77", elena.email, elena.fhir_id):
        assert not any(word in page for page in pages)
    assert [page.replace("Newcomer", "Marquez").count("Elena Maria Marquez") for page in pages] == [1, 1]


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"reason": ""}, "Enter the reason."),
        ({"service": ""}, "Choose a visit."),
        ({"given": "Elena"}, "date of birth"),
        (PATIENT | {"phone": ""}, "Enter an email address or a phone number of the patient."),
        ({"book": "on"}, "Enter the patient"),
        ({"valid_until_year": "2001"}, "Enter a day from today on"),
        ({"documents": SimpleUploadedFile("letter.pdf", b"MZ no pdf", "application/pdf")}, "cannot be read here"),
        ({"documents": SimpleUploadedFile("big.pdf", PDF + b"0" * 5 * 1024 * 1024, "application/pdf")}, "larger than"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(typed, error, as_noor, checkup, schedule):
    page = make(as_noor, checkup, **{"reason": "Words that stay", **typed}).content.decode()
    assert error in page
    assert typed.get("reason", "Words that stay") in page
    assert not ServiceRequest.objects.exists()


def test_documents_are_kept_and_read_by_the_referrer_and_the_desk(as_noor, rana, checkup, schedule, client):
    make(as_noor, checkup, documents=[SimpleUploadedFile("letter.pdf", PDF, "text/plain")])
    referral = ServiceRequest.objects.get()
    answer = as_noor.get(f"/referrals/{referral.fhir_id}/documents/1/")
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert answer["Content-Disposition"] == 'attachment; filename="referral-1.pdf"'
    assert as_noor.get(f"/referrals/{referral.fhir_id}/documents/2/").status_code == 404
    client.force_login(rana)
    assert client.get(f"/staff/referrals/{referral.fhir_id}/documents/1/").content == PDF


def test_a_referrer_books_for_the_patient(as_noor, checkup, schedule, button_value, elena):
    answer = make(as_noor, checkup, book="on", **PATIENT)
    referral = ServiceRequest.objects.get()
    times = f"/referrals/{referral.fhir_id}/book/"
    assert answer.url == times
    assert f'action="{times}"' in as_noor.get(times).content.decode()
    confirm = as_noor.post(times, {"time": button_value, "zone": ""})
    assert "Book this time for the patient?" in as_noor.get(confirm.url).content.decode()

    as_noor.post(times, {"time": button_value, "zone": "", "confirm": "on"})

    visit = Appointment.objects.get()
    assert (visit.status, visit.patient, visit.referral) == ("booked", elena, referral)
    page = as_noor.get("/referrals/").content.decode()
    assert "Booked" in page
    assert as_noor.get(times).url == f"/referrals/{referral.fhir_id}/", "one visit"


def test_a_refusal_tells_nothing_about_the_patient(as_noor, noor, checkup, schedule, button_value, elena, ten):
    AppointmentFactory(patient=elena, start=ten, end=ten + timedelta(minutes=30))
    referral = ReferralFactory(patient=elena, service=checkup, referred_by=noor)
    as_noor.post(f"/referrals/{referral.fhir_id}/book/", {"time": button_value, "confirm": "on"})
    page = as_noor.get(f"/referrals/{referral.fhir_id}/").content.decode()
    assert "cannot be booked for the patient here" in page
    assert "another visit" not in page


def test_withdrawing(as_noor, noor, checkup):
    referral = ReferralFactory(service=checkup, referred_by=noor)
    address = f"/referrals/{referral.fhir_id}/withdraw/"
    assert "Withdraw this referral?" in as_noor.get(address).content.decode()
    as_noor.post(address)
    referral.refresh_from_db()
    assert referral.status == "revoked"
    page = as_noor.get(f"/referrals/{referral.fhir_id}/").content.decode()
    assert "Withdrawn" in page
    assert "/r/" not in page


def test_anothers_referral_is_not_there(as_noor, checkup):
    referral = ReferralFactory(service=checkup, referred_by=UserFactory(refers_for="Elsewhere"))
    for page in ("", "book/", "withdraw/", "documents/1/"):
        assert as_noor.get(f"/referrals/{referral.fhir_id}/{page}").status_code == 404
    assert "Ada Quinn" not in as_noor.get("/referrals/").content.decode()


def test_a_longer_list_is_no_more_queries(as_noor, noor, checkup, site, django_assert_max_num_queries):
    ReferralFactory.create_batch(2, service=checkup, referred_by=noor)
    with django_assert_max_num_queries(20) as two:
        as_noor.get("/referrals/")
    ReferralFactory.create_batch(8, service=checkup, referred_by=noor)
    with django_assert_max_num_queries(len(two)):
        as_noor.get("/referrals/")
