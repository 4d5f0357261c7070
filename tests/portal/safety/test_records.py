"""Access to patient records by other people, and its end."""

from datetime import date

import icalendar
import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import CalendarFeed, Communication, RelatedPerson
from portal.booking import guests
from scheduling import notifications
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.portal.booking.steps import prove, say_who, visit_page
from tests.portal.eve import KNOWN
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db


def test_a_guest_reaches_no_record_of_an_account_and_learns_of_none(client, held, ada):
    ada.birth_date, ada.email = date(1985, 3, 27), "eve@example.com"
    ada.save()
    pages = [say_who(client, held, given=ada.given, family=ada.family), prove(client, held)]
    held.refresh_from_db()
    assert held.patient != ada
    assert ada.fhir_id not in str([page.headers for page in pages])
    ada.refresh_from_db()
    assert (ada.version, ada.phone) == (1, "")


@pytest.mark.parametrize("address", ["eve@g\u0131thub.com", "eve@\ufb01ne.com"])
def test_an_address_that_only_looks_the_same_is_another(address):
    """PostgreSQL's own capital of a dotless i is I."""
    theirs = PatientFactory(**KNOWN | {"email": address.replace("\u0131", "i").replace("\ufb01", "fi")})
    details = guests.GuestDetails(**KNOWN | {"email": address, "birth_date": "1985-03-27"})
    assert guests.record_of(details, now=timezone.now()) != theirs
    assert (
        guests.record_of(
            guests.GuestDetails(**KNOWN | {"email": theirs.email, "birth_date": "1985-03-27"}), now=timezone.now()
        )
        == theirs
    )


def test_an_address_is_written_one_way(client, held):
    say_who(client, held, email="eve@\uff45xample.com")
    assert Communication.objects.get(event="proof").address == "eve@example.com"


def test_caring_for_somebody_makes_a_new_record_always(as_ada, bo):
    """Somebody who knows another patient's name and birth date gets no access to their record."""
    bo.birth_date = date(1990, 7, 4)
    bo.save()
    born = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}
    as_ada.post("/family/add/", {"given": bo.given, "family": bo.family, "relationship": "SPS", **born})
    assert RelatedPerson.objects.get().patient != bo


def test_a_former_carer_loses_all_access_at_once(client, visit, checkup):
    user = UserFactory(email="grace@example.com")
    related = RelatedPersonFactory(patient=visit.patient, user=user)
    form = QuestionnaireFactory()
    checkup.questionnaires.add(form)
    QuestionnaireResponseFactory(appointment=visit, questionnaire=form)
    CommunicationFactory(appointment=visit, medium="in-app", status="completed", sent=timezone.now(), subject="News")
    client.force_login(user)
    pages = ["", "answers/", "visit.ics", "cancel/", "move/"]
    assert {client.get(visit_page(visit) + page).status_code for page in pages} == {200}
    assertContains(client.get("/messages/"), "News")
    related.active = False
    related.save()
    assert {client.get(visit_page(visit) + page).status_code for page in pages} == {404}
    assertNotContains(client.get("/messages/"), "News")
    assert client.get(f"/fhir/R4/{visit.reference}").status_code == 404
    assert client.get(f"/preferences/{visit.patient.fhir_id}/").status_code in (302, 404)


def test_a_former_carer_gets_no_messages(as_ada, ada, checkup, schedule, ten):
    born = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "2020"}
    as_ada.post("/family/add/", {"given": "Kit", "family": "Quinn", "relationship": "PRN", **born})
    related = RelatedPerson.objects.get()
    of_kit = {"patient": related.patient, "service": checkup, "start": ten, "schedules": [schedule]}
    visit = AppointmentFactory(**of_kit)
    notifications.booked(visit, now=timezone.now())
    assert Communication.objects.get(event="confirmation", medium="email").address == ada.user.email
    as_ada.post(f"/family/{related.fhir_id}/remove/")
    deliver(timezone.now())
    assert mail.outbox == []


def events(client, address):
    return icalendar.Calendar.from_ical(client.get(address).content).walk("VEVENT")


def feed_of(client, user):
    client.force_login(user)
    return client.post("/calendars/").context["address"].removeprefix("http://testserver")


def test_a_feed_gives_nobody_the_power_to_cancel(client, visit, ada, chen):
    for user, page in ((ada.user, visit_page(visit)), (chen.user, f"/staff/appointments/{visit.fhir_id}/")):
        [event] = events(client, feed_of(client, user))
        assert event["URL"].endswith(page)
        assert "/v/" not in str(event.to_ical())


def test_a_feed_ends_with_its_owners_account(client, visit, chen):
    address = feed_of(client, chen.user)
    chen.user.is_active = False
    chen.user.save()
    assert client.get(address).status_code == 404
    assert CalendarFeed.objects.get().revoked is None


def test_staff_are_ordinary_patients_at_other_sites(client, visit, ada, schedule):
    """A member of staff has no staff access to her own visit: neither to its history nor to its steps."""
    doctor = PractitionerFactory(user=ada.user)
    ScheduleFactory(actor=doctor, site=LocationFactory())
    client.force_login(ada.user)
    assert client.get(visit_page(visit)).status_code == 200
    assert client.get(f"/staff/appointments/{visit.fhir_id}/").status_code == 404
    assert client.post(f"/staff/appointments/{visit.fhir_id}/step/", {"status": "arrived"}).status_code in (302, 404)
    assert client.get(f"/staff/visits/{visit.fhir_id}/").status_code == 404
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_failed_messages_are_of_ones_own_visits(client, visit, site):
    """Another practitioner of the same site learns nothing of them."""
    CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    doctor = PractitionerFactory(user=UserFactory())
    ScheduleFactory(actor=doctor, site=site)
    client.force_login(doctor.user)
    assertNotContains(client.get("/staff/to-do/"), "Quinn")
    client.force_login(UserFactory(desk_locations=[site]))
    assertContains(client.get("/staff/to-do/"), "Quinn")
