"""A guest's visits that were booked with a telephone number alone, in the account that the guest has afterwards."""

import re
from datetime import date, timedelta

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, AuditEvent, Communication, DuplicatePair, Patient, PatientMerge, User
from scheduling.access import Caller
from scheduling.errors import Forbidden
from scheduling.interactions import adoption
from scheduling.interactions.adoption import Adoption
from tests.factories import AppointmentFactory, PatientFactory, RelatedPersonFactory, UserFactory
from tests.portal.booking.steps import code, page_of, prove, say_who
from tests.portal.eve import SIGN_UP

pytestmark = pytest.mark.django_db

NUMBER = "+12125550199"
EVE = {"given": "Eve", "family": "Stone", "birth_date": date(1985, 3, 27)}


@pytest.fixture(autouse=True)
def texts(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None


@pytest.fixture
def former(ten):
    """Eve's record as a guest, in the clinic's own notation, with a visit."""
    patient = PatientFactory(**EVE, phone="(212) 555-0199", identifier=[{"system": "urn:mrn", "value": "7"}])
    AppointmentFactory(patient=patient, start=ten, end=ten + timedelta(minutes=30))
    return patient


@pytest.fixture
def own():
    """Eve's record in her new account. She writes her name in another way."""
    return PatientFactory(**{**EVE, "given": "EVE"}, email="eve@example.com", user=UserFactory(email="eve@example.com"))


@pytest.fixture
def as_eve(client, own):
    client.force_login(own.user)
    return client


def number_page(patient, step=""):
    return f"/my-details/{patient.fhir_id}/number/{step}"


def confirm(client, patient, number=NUMBER, typed=None):
    assertRedirects(client.post(number_page(patient), {"phone": number}), number_page(patient, "code/"))
    return client.post(number_page(patient, "code/"), {"code": typed or code()}, follow=True)


def adopt(own, number=NUMBER):
    return adoption.adopt_records(number, caller=Caller(user=own.user), now=timezone.now())


def visits_of(patient):
    return Appointment.objects.filter(patient=patient).count()


# In the account


def test_a_proven_number_brings_the_visits_that_were_booked_with_it(as_eve, own, former):
    assertContains(as_eve.get("/my-details/"), number_page(own))
    assertContains(as_eve.get("/appointments/"), number_page(own))
    page = confirm(as_eve, own, "212-555-0199")
    assertRedirects(page, "/appointments/")
    assertContains(page, "The visits that you booked with it are in your account now.")
    assertContains(page, Appointment.objects.get().service.name)
    own.refresh_from_db()
    former.refresh_from_db()
    assert (own.phone, own.email, visits_of(own)) == (NUMBER, "eve@example.com", 1)
    assert (former.active, former.merged_into, former.user) == (False, own.fhir_id, None)
    assert own.identifier == [{"system": "urn:mrn", "value": "7", "use": "old"}]


def test_the_merge_is_audited_and_staff_can_undo_it(as_eve, own, former):
    confirm(as_eve, own)
    lines = AuditEvent.objects.filter(subtype="merge", user=own.user)
    assert set(lines.values_list("patient", flat=True)) >= {own.pk, former.pk}
    assert PatientMerge.objects.get(source=former, undone_at=None).target == own


def test_an_account_that_has_visits_keeps_them_beside_the_new_ones(as_eve, own, former, ten):
    AppointmentFactory(patient=own, schedules=[], start=ten + timedelta(days=1), end=ten + timedelta(days=1, hours=1))
    confirm(as_eve, own)
    assert visits_of(own) == 2


def test_all_records_of_the_number_come_at_once(own, former):
    AppointmentFactory(patient=PatientFactory(**EVE, phone=NUMBER), schedules=[])
    Appointment.objects.filter(patient=former).update(status="cancelled")
    assert adopt(own) is Adoption.DONE
    assert visits_of(own) == 2


def test_the_account_gets_what_only_the_former_record_has(own, former):
    Patient.objects.filter(pk=former.pk).update(
        gender="female", language="es", email="", extra={"address": [{"city": "Boston"}]}
    )
    adopt(own)
    own.refresh_from_db()
    assert (own.gender, own.language, own.email, own.phone) == ("female", "es", "eve@example.com", "(212) 555-0199")
    assert own.extra["address"] == [{"city": "Boston"}]


def test_a_wrong_code_proves_nothing_and_keeps_what_was_typed(as_eve, own, former):
    page = confirm(as_eve, own, typed="12345")
    assertContains(page, "The code has six digits.")
    assertContains(page, 'value="12345"')
    own.refresh_from_db()
    assert (own.phone, visits_of(own)) == ("", 0)


def test_nothing_tells_whether_the_clinic_knows_a_number_before_it_is_proven(as_eve, own, former):
    pages = []
    for number in ("(212) 555-0199", "(212) 555-0123"):
        as_eve.post(number_page(own), {"phone": number})
        pages.append(as_eve.get(number_page(own, "code/")).content.decode().replace(number, ""))
    without_tokens = [[line for line in page.splitlines() if "csrf" not in line] for page in pages]
    assert without_tokens[0] == without_tokens[1]
    assert Communication.objects.filter(event="proof").count() == 2


def test_codes_to_one_number_are_limited_as_for_guests(as_eve, own, settings):
    settings.ACCOUNT_RATE_LIMITS = {"send_code": "2/h/key"}
    for number in ("212-555-0199", "+1 212 555 0123", "(212) 555-0199", "212-555-0123", "+12125550199"):
        as_eve.post(number_page(own), {"phone": number})
    page = as_eve.get(number_page(own, "code/"))
    assertContains(page, "We have sent too many codes there. Wait 15 minutes.")
    assertNotContains(page, "or sign in")
    assert Communication.objects.filter(event="proof").count() == 4


def test_another_code_is_sent_to_the_same_number(as_eve, own):
    as_eve.post(number_page(own), {"phone": NUMBER})
    page = as_eve.post(number_page(own, "code/"), {"again": "1"})
    assertContains(page, "You can ask for another one in 30 seconds.")
    assertContains(page, "(212) 555-0199")


def test_the_code_page_without_a_number_asks_for_one(as_eve, own):
    assertRedirects(as_eve.get(number_page(own, "code/")), number_page(own))
    assertContains(as_eve.post(number_page(own), {"phone": "call me"}, follow=True), "This is not a phone number.")


def test_a_clinic_without_texts_does_not_ask(as_eve, own, settings):
    settings.SMS_ENABLED = False
    assert as_eve.get(number_page(own)).status_code == 404
    assertNotContains(as_eve.get("/appointments/"), number_page(own))
    assertNotContains(as_eve.get("/my-details/"), number_page(own))


def test_only_the_owner_of_the_record_confirms_a_number(client, own):
    carer = RelatedPersonFactory(patient=own, user=UserFactory(), keeps_access=True).user
    PatientFactory(user=carer)
    client.force_login(carer)
    assert client.get(number_page(own)).status_code == 404
    assertNotContains(client.get(f"/my-details/{own.fhir_id}/"), number_page(own))
    with pytest.raises(Forbidden):
        adoption.confirm_number(NUMBER, caller=Caller(user=UserFactory()), now=timezone.now())


# Whose records they are


@pytest.mark.parametrize(
    "changes",
    [
        {"given": "Eva"},
        {"birth_date": date(1985, 3, 28)},
        {"birth_date": None},
        {"phone": "(212) 555-0123"},
        {"active": False},
    ],
)
def test_a_record_of_another_name_birth_date_or_number_stays_apart(as_eve, own, former, changes):
    for column, value in changes.items():
        setattr(former, column, value)
    former.save()
    page = confirm(as_eve, own)
    assertContains(page, "If you have booked under another name, please call the clinic.")
    own.refresh_from_db()
    assert (own.phone, visits_of(own)) == (NUMBER, 0)


def of_another_account(former, own):
    former.user = UserFactory()
    former.save()


def of_somebody_else_too(former, own):
    PatientFactory(given="Adam", family="Stone", phone=NUMBER)


def of_another_account_too(former, own):
    PatientFactory(given="Adam", family="Stone", phone=NUMBER, user=UserFactory())


def of_another_sex(former, own):
    own.gender, former.gender = "female", "male"
    own.save()
    former.save()


def of_two_by_their_numbers_at_the_clinic(former, own):
    PatientFactory(**EVE, phone=NUMBER, identifier=[{"system": "urn:mrn", "value": "8"}])


def of_two_as_staff_have_said(former, own):
    first, second = sorted([former, own], key=lambda each: each.pk)
    DuplicatePair.objects.create(
        first=first, second=second, score=90, reasons=["name"], found=timezone.now(), rejected=timezone.now()
    )


def of_two_who_come_at_one_time(former, own):
    theirs = Appointment.objects.get(patient=former)
    AppointmentFactory(patient=own, start=theirs.start, end=theirs.end, schedules=[])


@pytest.mark.parametrize(
    "situation",
    [
        of_another_account,
        of_somebody_else_too,
        of_another_account_too,
        of_two_by_their_numbers_at_the_clinic,
        of_two_as_staff_have_said,
        of_two_who_come_at_one_time,
    ],
)
def test_the_clinic_decides_about_a_record_that_may_be_somebody_elses(as_eve, own, former, situation):
    situation(former, own)
    before = visits_of(own)
    page = confirm(as_eve, own)
    assertContains(page, "To have them added, please call the clinic.")
    former.refresh_from_db()
    assert (former.active, visits_of(own)) == (True, before)


def test_a_record_of_another_sex_stays_apart(own, former):
    of_another_sex(former, own)
    assert adopt(own) is Adoption.NOTHING


def test_children_in_ones_care_may_have_the_number_too(own, former):
    RelatedPersonFactory(patient=PatientFactory(given="Leo", phone=NUMBER), user=own.user)
    assert adopt(own) is Adoption.DONE


def test_a_childs_record_stays_with_the_parents(own, former, settings):
    settings.YOUNG_ACCESS_AGE = 130
    RelatedPersonFactory(patient=former, user=UserFactory())
    assert adopt(own) is Adoption.UNCLEAR


def test_many_records_cost_as_many_statements_as_one_to_look_for(own, former, django_assert_max_num_queries):
    of_somebody_else_too(former, own)
    with django_assert_max_num_queries(5) as few:
        adopt(own)
    PatientFactory(given="Ben", phone=NUMBER)
    with django_assert_max_num_queries(len(few)):
        adopt(own)


# Right after signing up


def book_by_phone(client, held):
    say_who(client, held, email="")
    prove(client, held)
    client.post(page_of(held, "confirm"))


def test_who_signs_up_in_the_same_browser_is_not_asked_again(client, held):
    book_by_phone(client, held)
    page = client.post("/accounts/signup/", SIGN_UP, follow=True)
    assertContains(page, "The visits that you booked with your mobile number are in your account now.")
    held.refresh_from_db()
    assert held.patient.user == User.objects.get(email="eve@example.com")
    assert held.patient.phone == NUMBER


def test_who_signs_up_under_another_name_gets_nothing(client, held):
    book_by_phone(client, held)
    client.post("/accounts/signup/", {**SIGN_UP, "given": "Adam"})
    held.refresh_from_db()
    assert held.patient.user is None


def test_where_the_address_is_to_be_confirmed_the_account_gets_them_after_that(client, held, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    book_by_phone(client, held)
    client.post("/accounts/signup/", SIGN_UP)
    held.refresh_from_db()
    assert held.patient.user is None
    mailed = re.search(r"Your code is (\S+)\.", mail.outbox[-1].body)[1]
    client.post("/accounts/confirm-email/", {"code": mailed})
    held.refresh_from_db()
    assert held.patient.user == User.objects.get(email="eve@example.com")


def test_who_signs_in_to_an_account_of_before_gets_them_too(client, held, own):
    own.user.set_password("correct-horse-battery")
    own.user.save()
    book_by_phone(client, held)
    client.post("/accounts/login/", {"login": "eve@example.com", "password": "correct-horse-battery"})
    held.refresh_from_db()
    assert held.patient == own


def test_a_number_that_was_not_proven_in_this_browser_gives_nothing(client, held):
    say_who(client, held, email="")
    former = PatientFactory(**EVE, phone=NUMBER)
    client.post("/accounts/signup/", SIGN_UP)
    former.refresh_from_db()
    assert former.active
    assert Patient.objects.get(user__isnull=False).phone == ""


def test_the_visits_reminders_go_to_the_account_from_then_on(own, former):
    adopt(own)
    reminders = Communication.objects.filter(event="reminder", status="preparation")
    assert set(reminders.values_list("patient", flat=True)) == {own.pk}
    assert {"eve@example.com", "(212) 555-0199"} <= set(reminders.values_list("address", flat=True))
