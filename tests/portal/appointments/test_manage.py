"""A visit by its manage link, without signing in."""

import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, Communication, Patient
from tests.factories import RelatedPersonFactory, UserFactory

pytestmark = pytest.mark.django_db

BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}
OTHER_DAY = BORN | {"birth_date_year": "1991"}


@pytest.fixture
def visit(ada, visit):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    return visit


def test_it_shows_the_least(client, link, ada):
    page = client.get(link)
    assertContains(page, "10:00 – 10:30 AM (New York time)")
    for text in ("Check-up", "Chen", ada.given, ada.family):
        assertNotContains(page, text)


def test_looking_changes_nothing(client, link, visit):
    for step in ("", "cancel/"):
        assert client.get(link + step).status_code == 200
    visit.refresh_from_db()
    assert (visit.status, visit.version) == ("booked", 1)
    assert client.get(f"{link}attend/").status_code == 405


def test_the_birth_date_opens_the_details(client, link):
    assertContains(client.post(link, BORN), "Check-up")


def test_the_language_can_be_changed_before_and_after_the_birth_date_and_when_it_is_too_late(client, link, checkup):
    """The buttons of the language belong to the page's form, or to their own where the page has none."""
    checkup.cancellation_notice = timedelta(days=30)
    checkup.save()
    pages = [client.get(link), client.post(link, BORN), client.get(f"{link}cancel/")]
    for page, has_form in zip(pages, (True, False, False), strict=True):
        assert b'form id="step"' in page.content if has_form else b'form id="step"' not in page.content
        assertContains(page, 'name="read-in"' if has_form else 'action="/language/"')


def test_the_details_stay_closed_for_others(client, link):
    assertContains(client.post(link, OTHER_DAY), "That date of birth does not match")
    assertNotContains(client.get(link), "Check-up")


def test_the_details_close_again(client, link):
    client.post(link, BORN)
    session = client.session
    [visit] = session["birth-dates-known"]
    session["birth-dates-known"] = {visit: (timezone.now() - timedelta(minutes=31)).isoformat()}
    session.save()
    assertNotContains(client.get(link), "Check-up")


def test_guesses_of_birth_dates_are_limited(client, link):
    for _ in range(5):
        client.post(link, OTHER_DAY)
    client.cookies.clear()
    assertContains(client.post(link, BORN), "Too many wrong attempts")
    AuditEvent.objects.filter(subtype="wrong birth date").update(recorded=timezone.now() - timedelta(hours=2))
    assertContains(client.post(link, BORN), "Check-up")


def test_a_patient_says_that_they_will_come(client, link, visit):
    assertRedirects(client.post(f"{link}attend/"), link)
    visit.refresh_from_db()
    assert visit.attendance_confirmed is not None
    assertContains(client.get(link), "You have told us that you will come.")
    client.post(f"{link}attend/")
    assert AuditEvent.objects.filter(subtype="attend").count() == 1


def test_it_is_cancelled_with_a_reason(client, link, visit):
    assertRedirects(client.post(f"{link}cancel/", {"reason": "Feeling better"}), link)
    visit.refresh_from_db()
    assert (visit.status, visit.cancelation_reason) == ("cancelled", {"text": "Feeling better"})
    assert AuditEvent.objects.get(subtype="cancel").client == "manage link"


def test_too_late_it_says_whom_to_call(client, link, visit, checkup):
    checkup.cancellation_notice = timedelta(days=30)
    checkup.save()
    assertContains(client.get(link), 'please call us: <a href="tel:+12125550100">(212) 555-0100</a>')
    client.post(f"{link}cancel/")
    visit.refresh_from_db()
    assert visit.status == "booked"


@pytest.mark.parametrize("place", [0, -1])
def test_a_link_cannot_be_guessed(client, link, place):
    token = list(link.split("/")[2])
    token[place] = "A" if token[place] != "A" else "B"
    assert client.get(f"/v/{''.join(token)}/").status_code == 410


def test_a_link_ends_a_day_after_the_visit(client, link, visit):
    visit.start, visit.end = timezone.now() - timedelta(hours=26), timezone.now() - timedelta(hours=25)
    visit.save()
    assertContains(client.get(link), "This link has expired", status_code=410)
    assert client.post(f"{link}cancel/").status_code == 410


def test_it_is_kept_in_no_cache(client, link):
    assert "no-store" in client.get(link)["Cache-Control"]


def test_a_patient_without_a_birth_date_enters_their_phone_number(client, link, ada):
    ada.birth_date, ada.phone, ada.extra = None, "+12125550123", {"birthDate": "1990"}
    ada.save()
    assertContains(client.get(link), "Patient\u2019s phone number")
    assertContains(client.post(link, {"phone": "212 555 0199"}), "That phone number does not match")
    assertContains(client.post(link, BORN), "Enter the phone number.")
    assert AuditEvent.objects.filter(subtype="wrong birth date").count() == 1
    assertContains(client.post(link, {"phone": "1-212-555-0123"}), "Check-up")
    assertContains(client.get(link), "Check-up")


def test_guesses_of_telephone_numbers_are_limited(client, link, ada):
    ada.birth_date, ada.phone = None, "+12125550123"
    ada.save()
    for number in range(5):
        client.post(link, {"phone": f"212 555 020{number}"})
    assertContains(client.post(link, {"phone": "212 555 0123"}), "Too many wrong attempts")
    assertNotContains(client.get(link), "Check-up")


def test_a_telephone_number_opens_nothing_where_the_birth_date_is_known(client, link, ada):
    ada.phone = "+12125550123"
    ada.save()
    assertContains(client.post(link, {"phone": "212 555 0123"}), "Enter the date of birth.")
    assertNotContains(client.get(link), "Check-up")


@pytest.fixture
def hardly_known(ada, visit):
    """Ada without a birth date and without a valid phone number."""
    ada.birth_date, ada.phone, ada.extra = None, "ext. 12", {"birthDate": "1990"}
    ada.email = "ada@example.com"
    ada.save()
    return ada


def code_at(address):
    return re.search(r"\b\d{6}\b", Communication.objects.filter(event="proof", address=address).latest("pk").body)[0]


def test_a_patient_without_birth_date_and_number_gets_a_code_by_email(client, link, hardly_known):
    for page in (link, f"{link}move/"):
        assertContains(client.get(page), "We will send a code to the email address that this link was sent to.")
        assertNotContains(client.get(page), "ada@example.com")
    assert not Communication.objects.filter(event="proof").exists()
    assertContains(client.post(link, BORN), "Send me a code")
    assertContains(client.post(link, {"code": "123456"}), "Send me a code")
    assertContains(client.post(link, {"send": "1"}), "We have sent a six-digit code")
    code = code_at("ada@example.com")
    assertContains(client.post(link, {"code": f"{(int(code) + 1) % 10**6:06}"}), "That code is wrong.")
    assertNotContains(client.get(link), "Check-up")
    assertContains(client.post(link, {"code": code}), "Check-up")
    assertContains(client.get(f"{link}move/"), "Check-up")
    client.cookies.clear()
    assertNotContains(client.post(link, {"code": code}), "Check-up")  # of another browser


def test_a_code_moves_the_visit_too(client, link, hardly_known):
    client.post(f"{link}move/", {"send": "1"})
    assertContains(client.post(f"{link}move/", {"code": code_at("ada@example.com")}), "Check-up")


def test_guesses_of_codes_are_limited(client, link, hardly_known):
    for _ in range(5):
        client.cookies.clear()  # a new code each time makes no difference
        client.post(link, {"send": "1"})
        client.post(link, {"code": f"{(int(code_at('ada@example.com')) + 1) % 10**6:06}"})
    cache.clear()
    client.post(link, {"again": "1"})
    assertContains(client.post(link, {"code": code_at("ada@example.com")}), "Too many wrong attempts")
    assertNotContains(client.get(link), "Check-up")
    assert AuditEvent.objects.filter(subtype="wrong birth date").count() == 5


def test_only_so_many_codes_are_sent(client, link, hardly_known):
    client.post(link, {"send": "1"})
    client.post(link, {"again": "1"})
    assert Communication.objects.filter(event="proof").count() == 1  # within half a minute
    for _ in range(8):
        client.cookies.clear()
        client.post(link, {"send": "1"})
    assert Communication.objects.filter(event="proof").count() == 5


def test_a_code_goes_to_those_who_care_for_a_patient_without_an_address(client, link, hardly_known, ada):
    hardly_known.email, hardly_known.user = "", None
    hardly_known.save()
    assertContains(client.get(link), "Please call")
    client.post(link, {"send": "1"})
    assert not Communication.objects.filter(event="proof").exists()
    for address in ("mum@example.com", "dad@example.com"):
        RelatedPersonFactory(patient=hardly_known, user=UserFactory(email=address), email=address)
    client.post(link, {"send": "1"})
    assert code_at("mum@example.com") == code_at("dad@example.com")
    assertContains(client.post(link, {"code": code_at("dad@example.com")}), "Check-up")


@pytest.mark.parametrize("known", [{"birth_date": date(1990, 7, 4)}, {"birth_date": None, "phone": "+12125550123"}])
def test_a_code_opens_nothing_where_the_clinic_knows_more(client, link, ada, known):
    Patient.objects.filter(pk=ada.pk).update(**known)
    client.post(link, {"send": "1"})
    assert not Communication.objects.filter(event="proof").exists()
    assertNotContains(client.post(link, {"code": "123456"}), "Check-up")


def test_the_proven_page_says_what_the_receipt_says(client, link, visit, ada):
    reference = visit.fhir_id.replace("-", "")[:8].upper()
    assertNotContains(client.get(link), reference)
    page = client.post(link, BORN)
    for word in ("Reference", reference, f"<dd>{ada}</dd>"):
        assertContains(page, word)


def test_a_cancelled_visit_says_whom_to_call(client, link, visit, site):
    site.phone = "+12125550142"
    site.save()
    client.post(f"{link}cancel/", {"reason": ""})
    assertContains(client.get(link), 'href="tel:+12125550142"')


def titled(page):
    return re.search(r"<title>(.*)</title>", page.content.decode())[1]


def test_the_title_says_that_something_is_wrong(client, link):
    wrong = {link: {}, f"{link}move/": OTHER_DAY, f"{link}cancel/": {"reason": "x" * 501}}
    titles = {address: titled(client.post(address, fields)) for address, fields in wrong.items()}
    assert [address for address, title in titles.items() if not title.startswith("Error: ")] == []
