"""My details: what the clinic knows, changed by the patient, checked by the clinic."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, CardPhoto, Communication, Coverage, DetailsChange, Patient
from scheduling import requirements
from scheduling.access import Caller
from scheduling.errors import Forbidden, RuleBroken, VersionConflict
from scheduling.interactions import coverage as coverages
from scheduling.interactions.card_images import card_image
from scheduling.interactions.details import are_details_due
from tests.factories import AppointmentFactory, CoverageFactory, PatientFactory, RelatedPersonFactory
from tests.portal.booking.steps import hold, page_of

pytestmark = pytest.mark.django_db
NAME = {"given": "Ada", "family": "King", "birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}
CARD = {"payor": "Acme Health", "member": "M-1"}


def page(name, patient, *others):
    return reverse(f"portal:{name}", args=[patient.fhir_id, *others])


def photo_of(width=3000, height=2000, form="JPEG", orientation=6):
    """A photo of a phone that was held upright, with metadata."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Phone maker"
    data = BytesIO()
    Image.new("RGB", (width, height), "navy").save(data, form, exif=exif)
    return data.getvalue()


def upload(data):
    return SimpleUploadedFile("card.jpg", data, "image/jpeg")


@pytest.fixture
def child(ada):
    patient = PatientFactory(given="Leo")
    RelatedPersonFactory(patient=patient, user=ada.user)
    return patient


@pytest.fixture
def insurance(ada):
    return CoverageFactory(beneficiary=ada, payor=[{"display": "Acme Health"}], subscriber_id="M-1")


# The page


def test_the_page_has_every_section_and_leads_to_the_children(as_ada, ada, child, insurance):
    Patient.objects.filter(pk=ada.pk).update(
        needs=["quiet"], extra={"address": [{"line": ["1 Main Street"], "city": "Boston", "postalCode": "02101"}]}
    )
    shown = as_ada.get(reverse("portal:my-details"))
    for words in ("1 Main Street", "Acme Health M-1", "Not checked by the clinic yet", "A quiet place to wait", "Leo"):
        assertContains(shown, words)
    assertContains(as_ada.get(page("details-of", child)), "Details of Leo")


def test_it_asks_as_much_for_many_insurances_as_for_one(as_ada, ada, insurance, django_assert_max_num_queries):
    with django_assert_max_num_queries(30) as few:
        as_ada.get(reverse("portal:my-details"))
    for _ in range(3):
        CoverageFactory(beneficiary=ada)
    with django_assert_max_num_queries(len(few)):
        as_ada.get(reverse("portal:my-details"))


def test_the_address_takes_the_place_of_the_current_one(as_ada, ada):
    old = {"use": "old", "city": "Salem"}
    Patient.objects.filter(pk=ada.pk).update(extra={"address": [old, {"city": "Boston", "country": "US"}]})
    as_ada.post(page("details-address", ada), {"line": "9 Elm  Street", "city": "Lynn"})
    ada.refresh_from_db()
    assert ada.extra["address"] == [{"country": "US", "line": ["9 Elm Street"], "city": "Lynn"}, old]
    as_ada.post(page("details-address", ada), {})
    ada.refresh_from_db()
    assert ada.extra["address"] == [old]


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(as_ada, ada):
    Patient.objects.filter(pk=ada.pk).update(version=5)
    answer = as_ada.post(page("details-address", ada), {"city": "Lynn", "version": "4"}, follow=True)
    assertContains(answer, "Someone else has changed this since you read it.")
    assertContains(answer, 'value="Lynn"')
    ada.refresh_from_db()
    assert "address" not in ada.extra


# Name and birth date


def test_an_unchecked_name_is_changed_at_once_and_the_change_is_audited(as_ada, ada):
    as_ada.post(page("details-name", ada), NAME)
    ada.refresh_from_db()
    assert (ada.family, ada.born) == ("King", "1990-07-04")
    assert AuditEvent.objects.filter(subtype="update", patient=ada).count() == 1


@pytest.mark.parametrize(("answer", "family"), [("accepted", "King"), ("declined", "Quinn")])
def test_a_checked_name_is_changed_by_the_clinic(as_ada, ada, rana, client, answer, family):
    Patient.objects.filter(pk=ada.pk).update(identity_verified=True)
    as_ada.post(page("details-name", ada), NAME)
    ada.refresh_from_db()
    assert ada.family == "Quinn"
    assertContains(as_ada.get(reverse("portal:my-details")), "You have asked for a change: Ada King")
    change = DetailsChange.objects.get()
    client.force_login(rana)
    assertContains(client.get(reverse("portal:worklist")), "To: Ada King, July 4, 1990")
    client.post(reverse("portal:staff-details", args=[change.pk]), {"answer": answer}, follow=True)
    ada.refresh_from_db()
    assert ada.family == family
    again = client.post(reverse("portal:staff-details", args=[change.pk]), {"answer": "accepted"}, follow=True)
    ada.refresh_from_db()
    assert ada.family == family
    assertContains(again, "This has been decided already.")


# Insurance


def test_what_a_patient_changes_has_to_be_checked_again_and_nothing_else_is_lost(as_ada, insurance):
    Coverage.objects.update(
        verification="verified", extra={"order": 1}, payor=[{"display": "Acme Health", "reference": "Organization/a"}]
    )
    as_ada.post(page("details-coverage", insurance.beneficiary, insurance.fhir_id), {**CARD, "member": "M-2"})
    insurance.refresh_from_db()
    assert (insurance.subscriber_id, insurance.verification) == ("M-2", "declared")
    assert insurance.extra == {"order": 1}
    assert insurance.payor[0]["reference"] == "Organization/a"


def test_an_unchanged_card_stays_checked(as_ada, insurance):
    Coverage.objects.update(verification="verified")
    as_ada.post(page("details-coverage", insurance.beneficiary, insurance.fhir_id), CARD)
    insurance.refresh_from_db()
    assert (insurance.verification, insurance.confirmed_at is not None) == ("verified", True)


def test_an_insurance_is_added_with_photos_and_removed(as_ada, ada):
    answer = as_ada.post(page("details-coverage-new", ada), CARD)
    added = Coverage.objects.get()
    assertRedirects(answer, page("details-card", ada, added.fhir_id))
    assertContains(as_ada.get(answer.url), 'capture="environment"', 2)
    as_ada.post(answer.url, {"front": upload(photo_of()), "back": upload(photo_of())})
    assert [photo.side for photo in CardPhoto.objects.all()] == ["front", "back"]
    shown = as_ada.get(page("card-photo", ada, added.fhir_id, "front"))
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert AuditEvent.objects.filter(query="photo of the card, front", patient=ada).exists()
    as_ada.post(answer.url, {"remove": "back"})
    assert [photo.side for photo in CardPhoto.objects.all()] == ["front"]
    as_ada.post(page("details-coverage-end", ada, added.fhir_id))
    added.refresh_from_db()
    assert added.status == "cancelled"


def test_a_photo_is_upright_without_metadata_and_bounded():
    with Image.open(BytesIO(card_image(photo_of()))) as stored:
        assert (stored.format, stored.size, dict(stored.getexif())) == ("JPEG", (1067, 1600), {})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a not a photo", "not a photo"),
        (photo_of(form="PNG")[:400], "not a photo"),
        (b"\xff\xd8\xff" + bytes(16 * 1024 * 1024), "too large"),
    ],
)
def test_what_is_no_photo_is_refused(as_ada, ada, insurance, data, words):
    with pytest.raises(RuleBroken, match=words):
        card_image(data)
    address = page("details-card", ada, insurance.fhir_id)
    assertContains(as_ada.post(address, {"front": upload(data[:2000])}, follow=True), "not a photo")
    assert not CardPhoto.objects.exists()


def test_others_see_no_photo(ada, bo, client, insurance, rana):
    coverages.add_photo(insurance.fhir_id, "front", photo_of(60, 40), caller=Caller(user=ada.user), now=timezone.now())
    address = page("card-photo", ada, insurance.fhir_id, "front")
    client.force_login(bo.user)
    assert client.get(address).status_code == 404
    client.force_login(rana)
    assert client.get(address).status_code == 200
    client.logout()
    assert client.get(address).status_code == 302


def test_the_desk_checks_an_insurance_and_the_patient_is_told(as_rana, ada, rana, insurance, visit):
    address = reverse("portal:staff-coverage", args=[visit.fhir_id, insurance.fhir_id])
    assertContains(as_rana.get(reverse("portal:staff-visit", args=[visit.fhir_id])), "Not checked by the clinic yet")
    as_rana.post(address, {"check": "rejected", "reason": "It has expired.", "version": insurance.version})
    insurance.refresh_from_db()
    assert (insurance.verification, insurance.verification_reason) == ("rejected", "It has expired.")
    told = Communication.objects.filter(event="coverage-rejected", patient=ada)
    assert {message.medium for message in told} == {"email", "in-app"}
    assert all("It has expired." in message.body for message in told)
    as_rana.post(address, {"check": "verified", "version": "1"})  # somebody else was faster
    insurance.refresh_from_db()
    assert insurance.verification == "rejected"
    as_rana.post(address, {"check": "verified", "version": insurance.version})
    insurance.refresh_from_db()
    assert (insurance.verification, insurance.verification_reason) == ("verified", "")
    assert Communication.objects.filter(event="coverage-verified", patient=ada).count() == 2


def test_a_rejection_says_why_and_patients_check_nothing(ada, rana, insurance):
    now = timezone.now()
    with pytest.raises(RuleBroken, match="Say why"):
        coverages.reject_coverage(insurance.fhir_id, " ", caller=Caller(user=rana), now=now)
    with pytest.raises(Forbidden):
        coverages.verify_coverage(insurance.fhir_id, caller=Caller(user=ada.user), now=now)
    with pytest.raises(VersionConflict):
        coverages.verify_coverage(insurance.fhir_id, caller=Caller(user=rana), now=now, version=9)


@pytest.mark.parametrize(
    ("verification", "declared_is_enough", "verified_is_needed"),
    [("declared", True, False), ("verified", True, True), ("rejected", False, False)],
)
def test_a_service_needs_a_declared_or_a_verified_insurance(
    ada, checkup, insurance, visit, verification, declared_is_enough, verified_is_needed
):
    Coverage.objects.update(verification=verification)
    checkup.requires_coverage = True
    visit.service = checkup
    assert (requirements.unmet(visit, now=timezone.now()) == []) is declared_is_enough
    checkup.requires_coverage, checkup.requires_verified_coverage = False, True
    assert (requirements.unmet(visit, now=timezone.now()) == []) is verified_is_needed


def test_visits_with_an_unchecked_insurance_wait_for_the_desk(as_rana, ada, checkup, insurance, visit):
    assertNotContains(as_rana.get(reverse("portal:worklist")), "Insurance to check")
    checkup.requires_coverage = True
    checkup.save()
    assertContains(as_rana.get(reverse("portal:worklist")), "Insurance to check")
    Coverage.objects.update(verification="verified")
    assertNotContains(as_rana.get(reverse("portal:worklist")), "Insurance to check")


# Is this still right?


@pytest.mark.parametrize(
    ("seen", "confirmed", "due"),
    [(400, None, True), (300, None, False), (None, None, False), (400, 300, False), (900, 500, True)],
)
def test_details_are_asked_for_before_the_first_visit_of_a_while(ada, seen, confirmed, due):
    now = timezone.now()
    ada.details_confirmed = now - timedelta(days=confirmed) if confirmed else None
    if seen:
        start = now - timedelta(days=seen)
        AppointmentFactory(
            patient=ada, status="fulfilled", start=start, end=start + timedelta(minutes=30), schedules=[]
        )
    assert are_details_due(ada, now=now) is due


def test_one_tap_says_that_they_are_right(as_ada, ada, checkup, button_value, ten):
    start = ten - timedelta(days=800)
    AppointmentFactory(patient=ada, status="fulfilled", start=start, end=start + timedelta(minutes=30), schedules=[])
    held = hold(as_ada, checkup, button_value)
    address = page_of(held, "details")
    assertContains(as_ada.get(address), "Is this still right?")
    assertRedirects(as_ada.post(address), page_of(held, "confirm"))
    ada.refresh_from_db()
    assert ada.details_confirmed is not None
    assertRedirects(as_ada.get(address), page_of(held, "confirm"))
