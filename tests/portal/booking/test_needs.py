"""A patient's needs: asked on the way to a booking, kept on the record, shown to the people who see the patient."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, Patient
from clinic.patient_text import needs_of
from scheduling.access import Caller
from scheduling.errors import Forbidden, VersionConflict
from scheduling.interactions.details import change_details
from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory, RelatedPersonFactory, UserFactory
from tests.portal.booking.steps import hold, page_of, prove, say_who
from tests.portal.eve import KNOWN

pytestmark = pytest.mark.django_db
NEEDS = {"interpreter": "uk", "needs": ["quiet", "step-free"], "other_needs": "I bring an assistance  dog."}
WORDS = ["Interpreter: Ukrainian", "Step-free access", "A quiet place to wait", "I bring an assistance dog."]
ASKED = "Do you need an interpreter, step-free access or other help?"


@pytest.fixture
def held(as_ada, checkup, button_value):
    return hold(as_ada, checkup, button_value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, []),
        ({"interpreter_required": True}, ["Interpreter"]),
        ({"interpreter_required": True, "interpreter_language": "sgn"}, ["Interpreter: sign language"]),
        ({"interpreter_language": "uk", "needs": ["hearing"]}, ["Help with hearing"]),
    ],
)
def test_needs_in_words(columns, words):
    assert needs_of(Patient(**columns)) == words


def test_they_are_asked_once_and_kept(as_ada, ada, held):
    assertContains(as_ada.get(page_of(held, "confirm")), ASKED)
    assertRedirects(as_ada.post(page_of(held, "confirm"), {"change": "needs"}), page_of(held, "needs"))
    assertRedirects(as_ada.post(page_of(held, "needs"), NEEDS), page_of(held, "confirm"))
    ada.refresh_from_db()
    assert needs_of(ada) == WORDS
    assert AuditEvent.objects.get(subtype="update").patient == ada
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, ", ".join(WORDS))
    assertNotContains(page, ASKED)
    assertContains(as_ada.get(page_of(held, "needs")), 'value="uk" selected')


def test_none_is_an_answer(as_ada, ada, held):
    as_ada.post(page_of(held, "needs"), {})
    ada.refresh_from_db()
    assert (needs_of(ada), ada.needs_asked is not None) == ([], True)
    assertContains(as_ada.get(page_of(held, "confirm")), "No special needs")


def test_a_guest_says_them_and_sees_none_that_are_known(client, checkup, button_value):
    held = hold(client, checkup, button_value)
    say_who(client, held)
    prove(client, held)
    client.post(page_of(held, "needs"), NEEDS)
    held.refresh_from_db()
    assert needs_of(held.patient) == WORDS
    assertNotContains(client.get(page_of(held, "confirm")), "assistance dog")
    assertRedirects(client.get(page_of(held, "needs")), page_of(held, "confirm"))


def test_staff_read_them_at_the_visit_on_the_calendar_and_on_the_board(as_rana, ada, checkup, schedule, site):
    day = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date()
    noon = datetime.combine(day, time(12), ZoneInfo(NEW_YORK))
    Patient.objects.filter(pk=ada.pk).update(interpreter_required=True, needs=["hearing"])
    visit = AppointmentFactory(
        patient=ada,
        service=checkup,
        status="booked",
        schedules=[schedule],
        site=site,
        start=noon,
        end=noon + timedelta(minutes=30),
    )
    for address in (
        reverse("portal:staff-visit", args=[visit.fhir_id]),
        reverse("portal:staff-peek", args=[visit.fhir_id]),
        f"{reverse('portal:agenda')}?date={day}&schedule={schedule.fhir_id}",
        f"{reverse('portal:board')}?site={site.fhir_id}",
    ):
        text = " ".join(strip_tags(as_rana.get(address).content.decode()).split())
        assert "Interpreter" in text, address
        assert "Help with hearing" in text, address


def test_who_may_change_what_of_a_record(ada, bo, rana, chen):
    now = timezone.now()
    child, adult = PatientFactory(), PatientFactory(user=UserFactory())
    for patient in (child, adult):
        RelatedPersonFactory(patient=patient, user=ada.user)
    need, phone = {"needs": ["quiet"]}, {"phone": "+12125550100"}
    allowed = [(ada.user, ada, phone), (ada.user, child, phone), (ada.user, adult, need), (rana, bo, phone)]
    for user, patient, changes in allowed:
        assert change_details(patient.fhir_id, changes, caller=Caller(user=user), now=now).version == 2
    for user, patient, changes in [(ada.user, adult, phone), (ada.user, bo, need), (bo.user, ada, phone)]:
        with pytest.raises(Forbidden):
            change_details(patient.fhir_id, changes, caller=Caller(user=user), now=now)
    with pytest.raises(Forbidden):
        change_details(PatientFactory(**KNOWN).fhir_id, need, caller=Caller(guest="somebody"), now=now)


def test_a_record_that_has_changed_meanwhile_is_not_overwritten(ada):
    now, caller = timezone.now(), Caller(user=ada.user)
    change_details(ada.fhir_id, {"phone": "+12125550100"}, caller=caller, now=now, version=1)
    with pytest.raises(VersionConflict):
        change_details(ada.fhir_id, {"phone": "+12125550111"}, caller=caller, now=now, version=1)
    assert change_details(ada.fhir_id, {"phone": "+12125550100"}, caller=caller, now=now, version=2).version == 2
