"""The desk's worklist: requests, failed messages, and visits that are not confirmed."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Patient
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PatientFactory,
    RecallFactory,
    ServiceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def soon():
    return timezone.now() + timedelta(hours=20)


def request_for(patient, site, start, schedule):
    service = ServiceFactory(name="Second opinion", on_request=True)
    doctor = {"reference": schedule.bookable.actor.reference, "display": str(schedule.bookable.actor)}
    return AppointmentFactory(
        patient=patient,
        service=service,
        site=site,
        start=start,
        status="pending",
        schedules=[schedule],
        participant=[{"actor": doctor, "status": "needs-action"}],
    )


def waiting(client):
    """Return the number beside "To do" in the header."""
    return client.get("/staff/hours/").context["worklist_count"]


def test_nothing_waits(as_rana):
    assertContains(as_rana.get("/staff/to-do/"), "Nothing is waiting")
    assert waiting(as_rana) == 0


def test_a_request_waits_for_its_answer(as_rana, ada, site, soon, schedule):
    Patient.objects.filter(pk=ada.pk).update(birth_date=date(1985, 3, 27))
    request = request_for(ada, site, soon, schedule)
    assert waiting(as_rana) == 1
    response = as_rana.get("/staff/to-do/")
    for words in (
        "Requests to answer",
        "Ada Quinn",
        "Mar 27, 1985",
        "Second opinion",
        f"/staff/appointments/{request.fhir_id}/answer/",
    ):
        assertContains(response, words)
    assertContains(as_rana.get("/staff/today/"), '<span class="badge badge--accent">1<span')
    as_rana.post(f"/staff/appointments/{request.fhir_id}/answer/", {"answer": "accepted"})
    assertNotContains(as_rana.get("/staff/to-do/"), "Requests to answer")


def test_a_hold_is_no_request(as_rana, ada, site, soon):
    expires = timezone.now() + timedelta(minutes=10)
    AppointmentFactory(patient=ada, site=site, start=soon, status="pending", hold_expires_at=expires)
    assert waiting(as_rana) == 0


def test_a_visit_by_video_is_at_no_site(as_rana, ada, site, soon):
    for name, telehealth in (("Advice", False), ("Talk", True)):
        service = ServiceFactory(name=name, telehealth=telehealth)
        AppointmentFactory(patient=ada, service=service, site=site, start=soon, status="booked")
    response = as_rana.get("/staff/to-do/")
    assertContains(response, f"<p>Advice, {site.name}</p>", html=True)
    assertContains(response, "<p>Talk</p>", html=True)


def test_a_message_that_failed_is_listed_with_why(as_rana, ada, site, soon):
    visit = AppointmentFactory(patient=ada, site=site, start=soon + timedelta(days=9))
    CommunicationFactory(appointment=visit, status="not-done", attempts=5, status_reason="No such number")
    assert waiting(as_rana) == 1
    page = as_rana.get("/staff/to-do/")
    assertContains(page, "Confirmation, email: No such number")
    assertContains(page, f"/staff/appointments/{visit.fhir_id}/")


@pytest.mark.parametrize("address", ["/staff/to-do/", "/staff/appointments/{}/"])
def test_why_a_message_failed_is_said_in_the_readers_language(as_rana, ada, site, soon, address):
    visit = AppointmentFactory(patient=ada, site=site, start=soon)
    why = "The text service refuses the number or the text (error 21614)."
    CommunicationFactory(appointment=visit, status="not-done", attempts=5, status_reason=why)
    page = as_rana.get(address.format(visit.fhir_id), headers={"Accept-Language": "es"})
    assertContains(page, "El servicio de SMS rechaza el número o el texto (error 21614).")
    assertNotContains(page, "The text service")


def test_a_patient_who_was_reached_is_recorded_and_leaves_the_list(as_rana, ada, site, soon):
    visit = AppointmentFactory(patient=ada, site=site, start=soon)
    address = f"/staff/appointments/{visit.fhir_id}/attendance/"
    assertContains(as_rana.get("/staff/to-do/"), address)
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), address)
    answer = as_rana.post(address, {"from_list": "on", "back": "/staff/to-do/"}, follow=True)
    assert answer.redirect_chain == [(f"/staff/to-do/?recorded={visit.fhir_id}", 302)]
    assertContains(answer, f"Recorded: {ada} will come.")
    assertContains(answer, "Nothing is waiting")
    assert waiting(as_rana) == 0
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), "Says they will come")


FILTERED = "/staff/to-do/?who=nobody&kind=unconfirmed&page=1"


def test_each_action_comes_back_to_the_same_part_of_the_list(as_rana, ada, site, soon):
    first, second = (AppointmentFactory(patient=ada, site=site, start=soon + timedelta(hours=n)) for n in (0, 1))
    page = as_rana.get(f"{FILTERED}&recorded={first.fhir_id}").content.decode()
    after, before = (f"{FILTERED}#unconfirmed-{visit.pk}" for visit in (second, first))
    for place in (after, before):
        assert f'name="back" value="{escape(place)}"' in page, (
            "to the item that comes after the one that was dealt with"
        )
        assert f'id="{place.partition("#")[2]}"' in page
    sent = {"from_list": "on", "back": after}
    answer = as_rana.post(f"/staff/appointments/{first.fhir_id}/attendance/", sent)
    assert answer.url == f"{FILTERED}&recorded={first.fhir_id}#unconfirmed-{second.pk}"
    assertContains(as_rana.get(answer.url), f"Recorded: {ada} will come.")
    undone = as_rana.post(f"/staff/appointments/{first.fhir_id}/attendance/", {**sent, "undo": "on"})
    assert undone.url == after


def test_texts_and_failed_messages_come_back_to_the_same_part_too(as_rana, ada, site, soon):
    visit = AppointmentFactory(patient=ada, site=site, start=soon, attendance_confirmed=timezone.now())
    failed = CommunicationFactory(appointment=visit, status="not-done", attempts=5)
    text = CommunicationFactory(
        appointment=visit, patient=ada, event="reply", medium="SMSWRIT", status="completed", address="+12125550147"
    )
    page = as_rana.get("/staff/to-do/?who=nobody").content.decode()
    places = [f"/staff/to-do/?who=nobody#{kind}" for kind in ("failure", "text")]
    addresses = [f"/staff/messages/{failed.fhir_id}/again/", f"/staff/messages/{text.fhir_id}/read/"]
    for address, place in zip(addresses, places, strict=True):
        assert f'name="next" value="{place}"' in page
        assert as_rana.post(address, {"next": place}).url == place
    assert as_rana.post(address, {"next": "https://example.org/"}).url == "/staff/to-do/"


def test_a_kind_that_is_shown_alone_is_open(as_rana, ada, site, soon, schedule):
    AppointmentFactory(patient=ada, site=site, start=soon)
    assertContains(as_rana.get("/staff/to-do/"), '<details class="work" open>')
    request_for(ada, site, soon + timedelta(hours=1), schedule)
    page = as_rana.get("/staff/to-do/")
    assertContains(page, '<details class="work">', count=2)
    assertContains(as_rana.get("/staff/to-do/?kind=request"), '<details class="work" open>')


@pytest.mark.parametrize(
    ("fields", "leads_to"),
    [({"from_list": "on"}, "/staff/to-do/"), ({}, "/staff/appointments/{}/?back=%2Fstaff%2Fto-do%2F")],
    ids=["from the list", "from the visit"],
)
def test_a_recorded_patient_can_be_undone(as_rana, ada, site, soon, fields, leads_to):
    visit = AppointmentFactory(patient=ada, site=site, start=soon, attendance_confirmed=timezone.now())
    address = f"/staff/appointments/{visit.fhir_id}/attendance/"
    for page in (f"/staff/to-do/?recorded={visit.fhir_id}", f"/staff/appointments/{visit.fhir_id}/"):
        assertContains(as_rana.get(page), 'name="undo"')
    answer = as_rana.post(address, {"undo": "on", "back": "/staff/to-do/", **fields}, follow=True)
    assert answer.redirect_chain == [(leads_to.format(visit.fhir_id), 302)]
    assertContains(answer, "Undone.")
    assertNotContains(answer, 'name="undo"')
    assert waiting(as_rana) == 1


def test_another_sites_visit_is_not_shown_as_recorded(as_rana, ada, soon):
    visit = AppointmentFactory(patient=ada, start=soon, attendance_confirmed=timezone.now())
    assertNotContains(as_rana.get(f"/staff/to-do/?recorded={visit.fhir_id}"), str(ada))


def test_a_request_that_is_moved_leads_back_to_the_list(as_rana, ada, site, soon, schedule):
    request = request_for(ada, site, soon, schedule)
    move = f"/staff/visits/{request.fhir_id}/move/?back=/staff/to-do/%23request"
    assertContains(as_rana.get("/staff/to-do/"), f'href="{move}"')
    assertContains(as_rana.get(move), '<a href="/staff/to-do/#request">')


def test_a_visit_that_was_cancelled_meanwhile_is_not_confirmed(as_rana, ada, site, soon):
    visit = AppointmentFactory(patient=ada, site=site, start=soon, status="cancelled")
    answer = as_rana.post(f"/staff/appointments/{visit.fhir_id}/attendance/", follow=True)
    assertContains(answer, "This visit was changed in the meantime. It is now: Cancelled")


def test_an_answer_from_the_list_leads_back_to_it(as_rana, ada, site, soon, schedule):
    request = request_for(ada, site, soon, schedule)
    fields = {"answer": "declined", "from_list": "on", "back": "/staff/to-do/"}
    answer = as_rana.post(f"/staff/appointments/{request.fhir_id}/answer/", fields, follow=True)
    assert answer.redirect_chain == [("/staff/to-do/", 302)]
    assertContains(answer, "The request is declined.")


@pytest.mark.parametrize(
    ("ahead", "confirmed", "listed"),
    [(timedelta(hours=20), False, True), (timedelta(hours=20), True, False), (timedelta(hours=49), False, False)],
)
def test_a_visit_of_the_next_two_days_waits_for_the_patients_word(as_rana, ada, site, ahead, confirmed, listed):
    now = timezone.now()
    ada.phone = "+1 212 555 0147"
    ada.save()
    AppointmentFactory(patient=ada, site=site, start=now + ahead, attendance_confirmed=now if confirmed else None)
    assert waiting(as_rana) == int(listed)
    response = as_rana.get("/staff/to-do/")
    assert ("Not confirmed yet" in response.content.decode()) is listed
    if listed:
        assertContains(response, 'href="tel:+12125550147"')


def test_others_work_is_not_counted(as_rana, ada, soon, schedule, client):
    request_for(ada, LocationFactory(), soon, schedule)
    assert waiting(as_rana) == 0
    assertNotContains(as_rana.get("/staff/to-do/"), "Ada Quinn")
    client.force_login(ada.user)
    assert client.get("/staff/to-do/").status_code == 403


def test_a_practitioner_sees_what_waits_on_their_calendar(as_chen, ada, site, soon, schedule):
    request_for(ada, site, soon, schedule)
    AppointmentFactory(patient=ada, site=site, start=soon)
    assert waiting(as_chen) == 1


def test_it_asks_as_much_for_many_as_for_one(as_rana, site, soon, django_assert_max_num_queries):
    def one(n):
        visit = AppointmentFactory(patient=PatientFactory(), site=site, start=soon + timedelta(minutes=n))
        CommunicationFactory(appointment=visit, status="not-done", attempts=5)

    one(0)
    with django_assert_max_num_queries(30) as few:
        as_rana.get("/staff/to-do/")
    for n in range(1, 5):
        one(n)
    with django_assert_max_num_queries(len(few)):
        as_rana.get("/staff/to-do/")


def text(body, visit=None, **fields):
    fields = {"status": "completed", "address": "+12125550123", "patient": visit and visit.patient, **fields}
    return CommunicationFactory(event="reply", medium="sms", appointment=visit, body=body, **fields)


def test_a_text_waits_until_it_is_dealt_with(as_rana, ada, site, soon):
    visit = AppointmentFactory(patient=ada, site=site, start=soon, attendance_confirmed=timezone.now())
    question, unknown = text("May I bring <b>Leo</b>?", visit), text("Wrong number?")
    text("C", visit, read=timezone.now())
    assert waiting(as_rana) == 2
    page = as_rana.get("/staff/to-do/")
    facts = (
        "May I bring &lt;b&gt;Leo&lt;/b&gt;?",
        "Ada Quinn",
        'href="tel:+12125550123"',
        "Not about a visit that we know",
    )
    for words in facts:
        assertContains(page, words)
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), "May I bring &lt;b&gt;Leo")
    for message in (question, unknown):
        as_rana.post(f"/staff/messages/{message.fhir_id}/read/")
    assert waiting(as_rana) == 0
    assertNotContains(as_rana.get("/staff/to-do/"), "Texts to read")


@pytest.mark.parametrize(("own", "is_shown"), [("(212) 555-0123", False), ("+12125550123", False), ("", True)])
def test_the_number_of_a_text_is_shown_unless_it_is_the_patients(as_rana, ada, site, soon, own, is_shown):
    ada.phone = own
    ada.save()
    text("May I bring Leo?", AppointmentFactory(patient=ada, site=site, start=soon))
    page = as_rana.get("/staff/to-do/")
    assertContains(page, "(212) 555-0123")
    assert ("Sent from" in page.text) == is_shown


def test_a_practitioner_reads_texts_about_their_own_visits_only(client, ada, site, soon, schedule, chen):
    client.force_login(chen.user)
    own = AppointmentFactory(patient=ada, site=site, start=soon, schedules=[schedule])
    text("About mine", own)
    others = text("About another", AppointmentFactory(patient=ada, site=site, start=soon))
    text("About none")
    page = client.get("/staff/to-do/")
    assertContains(page, "About mine")
    assertNotContains(page, "About another")
    assertNotContains(page, "About none")
    assert client.post(f"/staff/messages/{others.fhir_id}/read/").status_code == 404


def test_who_is_to_be_seen_again_and_has_not_booked_waits(as_rana, ada, site, schedule):
    now = timezone.now()
    visit = AppointmentFactory(
        patient=ada, site=site, start=now - timedelta(days=200), status="fulfilled", schedules=[schedule]
    )
    recall = RecallFactory(patient=ada, appointment=visit, note="Blood test before", messages=2, next_message=None)
    assert waiting(as_rana) == 1
    page = as_rana.get("/staff/to-do/")
    for words in ("Recall", "Blood test before", "The patient has been told 2 times.", "Ada Quinn"):
        assertContains(page, words)
    as_rana.post(f"/staff/recalls/{recall.fhir_id}/end/", {"next": "/staff/to-do/"})
    assert waiting(as_rana) == 0


def test_one_who_has_booked_or_is_still_to_be_told_does_not_wait(as_rana, ada, site, schedule):
    now = timezone.now()
    visit = AppointmentFactory(
        patient=ada, site=site, start=now - timedelta(days=200), status="fulfilled", schedules=[schedule]
    )
    RecallFactory(patient=ada, appointment=visit, next_message=now + timedelta(days=3))
    told = RecallFactory(patient=ada, appointment=visit, next_message=None)
    AppointmentFactory(
        patient=ada, site=site, service=told.service, start=now + timedelta(days=30), attendance_confirmed=now
    )
    assert waiting(as_rana) == 0


def test_staff_have_a_patient_seen_again_from_the_visits_page(as_rana, ada, site, schedule, checkup):
    start = timezone.now() - timedelta(days=2)
    visit = AppointmentFactory(
        patient=ada, site=site, start=start, status="fulfilled", schedules=[schedule], service=checkup
    )
    page = f"/staff/appointments/{visit.fhir_id}/"
    assertContains(as_rana.get(page), "See the patient again")
    answer = as_rana.post(f"{page}recall/", {"months": "6", "note": "With pictures"}, follow=True)
    assertContains(answer, "gets a message before then")
    assertContains(answer, "With pictures")
    assertContains(as_rana.post(f"{page}recall/", {"months": "6"}, follow=True), "End that first.")
    assertContains(as_rana.post(f"{page}recall/", {"months": "7"}, follow=True), "Choose in how many months.")
