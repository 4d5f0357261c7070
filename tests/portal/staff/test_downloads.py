"""Every list of the staff's pages is also a CSV file: the same rows, all of them, for the same people."""

import csv
import io
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from clinic.models import AuditEvent, Closure, DeskPayment, Payment, PaymentItem, StaffNotice, WaitlistCall
from portal.common import csv_lists
from portal.staff.patients import record as patient_record
from portal.staff.patients.views import search as search_page
from portal.staff.referrals import views as referral_pages
from portal.staff.worklist import worklist as worklist_page
from tests.factories import (
    NEW_YORK,
    AbsenceFactory,
    AppointmentFactory,
    CommunicationFactory,
    DeviceFactory,
    DuplicatePairFactory,
    ImportFileFactory,
    LocationFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    ReferralFactory,
    ServiceFactory,
    StaffMessageFactory,
    UserFactory,
    WaitlistOfferFactory,
)

pytestmark = pytest.mark.django_db
HALF_AN_HOUR = timedelta(minutes=30)


class DownloadWorld(NamedTuple):
    """Rows of the lists, all about Ada and Dr Chen."""

    day: str
    today: str
    absence: int
    message: int
    patient: str


@pytest.fixture
def world(ada, bo, chen, checkup, schedule, site, alex) -> DownloadWorld:
    day = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date() + timedelta(days=3)
    start = datetime.combine(day, datetime.min.time().replace(hour=10), ZoneInfo(NEW_YORK))
    now = timezone.now()
    ada.phone, ada.email = "+12125550123", "ada@example.com"
    ada.save()
    of_ada = {"patient": ada, "service": checkup, "site": site, "schedules": [schedule]}
    visit = AppointmentFactory(**of_ada, start=start, end=start + HALF_AN_HOUR)
    waiting = ServiceFactory(name="Skin check", has_waitlist=True)
    schedule.services.add(waiting)
    entry = AppointmentFactory(patient=ada, service=waiting, status="waitlist", start=None)
    offered = {**of_ada, "service": waiting, "status": "pending", "hold_expires_at": now + HALF_AN_HOUR}
    kept = AppointmentFactory(**offered, start=start + HALF_AN_HOUR, end=start + 2 * HALF_AN_HOUR)
    WaitlistOfferFactory(entry=entry, hold=kept)
    WaitlistCall.objects.create(entry=entry, outcome="thinks", note="=1+1", called=now, called_by=alex)
    StaffNotice.objects.create(user=alex, kind="booked", appointment=visit, version=1, occurred=now)
    absence = AbsenceFactory(bookable=schedule.bookable, start=start, end=start + HALF_AN_HOUR)
    message = StaffMessageFactory(created_by=alex, first=day, sent=now)
    CommunicationFactory(appointment=visit, staff_message=message, event="note")
    CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    DuplicatePairFactory(first=ada, second=bo)
    ReferralFactory(patient=ada, service=checkup)
    Closure.objects.create(first=day + timedelta(days=1), last=day + timedelta(days=2), reason="Works outing")
    LocationFactory(name="Room 1", part_of=site)
    DeviceFactory(name="Ultrasound", location=site)
    ImportFileFactory()
    DeskPayment.objects.create(
        appointment=visit,
        patient=ada,
        site=site,
        taken=now,
        taken_by=alex,
        key=uuid4(),
        method="cash",
        amount=4050,
        currency="USD",
    )
    ago = now - timedelta(days=40)
    AppointmentFactory(**of_ada, start=ago, end=ago + HALF_AN_HOUR, status="noshow")
    QuestionnaireResponseFactory(appointment=visit, questionnaire=QuestionnaireFactory(title="Before the check-up"))
    payment = Payment.objects.create(
        patient=ada, purpose="full", status="paid", amount=8000, currency="USD", created=now, last_updated=now
    )
    PaymentItem.objects.create(payment=payment, appointment=visit, amount=8000)
    today = now.astimezone(ZoneInfo(NEW_YORK)).date()
    return DownloadWorld(
        day=f"{day:%Y-%m-%d}", today=f"{today:%Y-%m-%d}", absence=absence.pk, message=message.pk, patient=ada.fhir_id
    )


class DownloadCase(NamedTuple):
    """A list: the name and the query of its page, some cells of one line, and whether it names patients."""

    page: str
    cells: dict[str, str]
    query: dict[str, str] = {}
    names_patients: bool = True
    argument: str = ""


ADA = {"Patient": "Ada Quinn", "Phone": "(212) 555-0123", "Email": "ada@example.com"}
LISTS = {
    "board": DownloadCase("board", {**ADA, "Status": "Expected", "With": "Dr. Mei Chen"}, {"date": "{day}"}),
    "agenda": DownloadCase("agenda", {**ADA, "Calendar": "Dr. Mei Chen", "Status": "Booked"}, {"date": "{day}"}),
    "day": DownloadCase("day", ADA, {"date": "{day}"}),
    "week": DownloadCase("week", ADA, {"date": "{day}"}),
    "waiting list": DownloadCase("waiting-list", {**ADA, "Service": "Skin check", "Place in the list": "1"}),
    "offers": DownloadCase("waiting-list-offers", {**ADA, "Visit": "Skin check"}),
    "calls": DownloadCase(
        "waiting-list-offers", {**ADA, "Outcome": "Will call back", "Note": "'=1+1"}, {"of": "calls"}
    ),
    "free time": DownloadCase(
        "waiting-list-gaps", {"Calendar": "Dr. Mei Chen"}, {"date": "{day}"}, names_patients=False
    ),
    "worklist": DownloadCase("worklist", {**ADA, "What is waiting": "Messages that could not be sent"}),
    "notices": DownloadCase("staff-notices", {**ADA, "Kind": "New visit"}),
    "absences": DownloadCase("staff-absences", {"Name": "Dr. Mei Chen", "Reason": "Flu"}, names_patients=False),
    "absence": DownloadCase("staff-absence", {**ADA, "State": "Affected visits"}, argument="absence"),
    "messages": DownloadCase(
        "staff-messages", {"Subject": "The lift is broken", "Status": "Sent"}, names_patients=False
    ),
    "message": DownloadCase("staff-message", ADA, argument="message"),
    "payments": DownloadCase(
        "staff-payments", {**ADA, "Amount": "40.50", "Currency": "USD", "Paid by": "Cash"}, {"date": "{today}"}
    ),
    "duplicates": DownloadCase("staff-duplicates", {**ADA, "Other record": "Bo Lind"}),
    "referrals": DownloadCase(
        "staff-referrals", {**ADA, "Referrer": "Dr Noor Grey, Harbour Practice"}, {"state": "open"}
    ),
    "upcoming visits": DownloadCase(
        "staff-patient", {**ADA, "Visit": "Check-up", "Status": "Booked"}, {"of": "to-come"}, argument="patient"
    ),
    "past visits": DownloadCase(
        "staff-patient", {**ADA, "Visit": "Check-up", "Status": "No-show"}, {"of": "past"}, argument="patient"
    ),
    "forms": DownloadCase(
        "staff-patient",
        {**ADA, "Form": "Before the check-up", "Answers": "What brings you here?: A rash"},
        {"of": "answers"},
        argument="patient",
    ),
    "messages of a patient": DownloadCase(
        "staff-patient", {**ADA, "By": "email", "Status": "Failed"}, {"of": "messages"}, argument="patient"
    ),
    "payments of a patient": DownloadCase(
        "staff-patient",
        {**ADA, "Status": "Paid", "Amount": "80.00", "Currency": "USD"},
        {"of": "payments"},
        argument="patient",
    ),
    "payments of a patient at the desk": DownloadCase(
        "staff-patient", {**ADA, "Amount": "40.50", "Paid by": "Cash"}, {"of": "at-desk"}, argument="patient"
    ),
    "audit log of a patient": DownloadCase("staff-patient", ADA, {"of": "audit"}, argument="patient"),
    "closures": DownloadCase(
        "closures", {"What is closed": "The whole clinic", "Notes": "Works outing"}, names_patients=False
    ),
    "sites": DownloadCase("setup-sites", {"Name": "Riverside Main Street"}, names_patients=False),
    "people": DownloadCase("setup-people", {"Name": "Dr. Mei Chen"}, names_patients=False),
    "rooms": DownloadCase("setup-rooms", {"Kind": "Room", "Name": "Room 1"}, names_patients=False),
    "devices": DownloadCase("setup-rooms", {"Kind": "Device", "Name": "Ultrasound"}, names_patients=False),
    "services": DownloadCase("setup-services", {"Name": "Skin check"}, names_patients=False),
    "calendars": DownloadCase(
        "setup-hours", {"Calendar": "Dr. Mei Chen", "Service": "Skin check"}, names_patients=False
    ),
    "hours": DownloadCase("hours", {"Calendar": "Dr. Mei Chen", "Service": "Skin check"}, names_patients=False),
    "checklist": DownloadCase("checklist", {"Service": "Skin check", "Can be booked": "Yes"}, names_patients=False),
    "accounts": DownloadCase("people", {"Email": "alex@example.com", "Roles": "Administrator"}, names_patients=False),
    "imports": DownloadCase("imports", {"File": "patients.csv", "Lines": "1"}, names_patients=False),
}


def read(response) -> list[dict[str, str]]:
    assert response.status_code == 200, response
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def filled(named, world):
    return {name: text.format(**world._asdict()) for name, text in named.items()}


def address(case, world):
    return reverse(f"portal:{case.page}", args=[getattr(world, case.argument)] if case.argument else [])


def download(client, case, world):
    return client.get(address(case, world), {**filled(case.query, world), "download": "csv"})


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_downloaded_from_its_page(client, alex, world, name):
    case = LISTS[name]
    client.force_login(alex)
    page = client.get(address(case, world), filled(case.query, world)).content.decode()
    assert "download=csv" in page
    lines = read(download(client, case, world))
    wanted = filled(case.cells, world).items()
    assert any(wanted <= line.items() for line in lines), lines
    audited = AuditEvent.objects.filter(user=alex, query__endswith=", CSV", patient__family="Quinn")
    assert audited.exists() == case.names_patients
    download(client, case, world).getvalue()
    assert audited.count() == 2 * case.names_patients  # each download, and not once an hour as for pages


@pytest.mark.parametrize("name", LISTS)
def test_nobody_downloads_what_they_may_not_see(client, world, bo, name):
    assert download(client, LISTS[name], world).status_code == 302  # to sign in
    client.force_login(bo.user)
    assert download(client, LISTS[name], world).status_code == 403
    elsewhere = UserFactory(desk_locations=[LocationFactory()])
    client.force_login(elsewhere)
    response = download(client, LISTS[name], world)
    if name in ("duplicates", "worklist"):  # every front desk finds every patient
        assert len(read(response)) == 1
        return
    assert response.status_code in (200, 403, 404)
    assert b"Quinn" not in response.getvalue()
    assert not AuditEvent.objects.filter(user=elsewhere, patient__family="Quinn").exists()


def test_a_list_of_a_patient_is_whole_and_about_this_patient_alone(client, alex, ada, bo, world, monkeypatch):
    monkeypatch.setattr(patient_record, "SIZE", 1)
    for days in (50, 60):
        start = timezone.now() - timedelta(days=days)
        visit = AppointmentFactory(patient=bo, start=start, end=start + HALF_AN_HOUR, status="fulfilled")
        visit.participant.append({"actor": {"reference": ada.reference}, "status": "accepted"})
        visit.save()
    client.force_login(alex)
    page = reverse("portal:staff-patient", args=[ada.fhir_id])
    lines = read(client.get(page, {"of": "past", "past": "2", "download": "csv"}))
    assert [line["Patient"] for line in lines] == ["Ada Quinn"] * 3
    assert [line["Status"] for line in lines] == ["No-show", "Done", "Done"]


@pytest.mark.parametrize("of", ["", "notes", "nothing"])
def test_a_patients_page_has_no_other_files(client, alex, ada, of):
    client.force_login(alex)
    page = reverse("portal:staff-patient", args=[ada.fhir_id])
    assert client.get(page, {"of": of, "download": "csv"}).status_code == 404


def test_who_may_not_read_the_audit_log_downloads_none(client, chen, ada, world):
    client.force_login(chen.user)
    page = reverse("portal:staff-patient", args=[ada.fhir_id])
    may_read = "of=audit" in client.get(page).content.decode()
    assert client.get(page, {"of": "audit", "download": "csv"}).status_code == (200 if may_read else 404)
    assert not may_read


def test_the_lists_of_a_patient_take_a_bounded_number_of_statements(
    client, alex, ada, checkup, site, schedule, django_assert_max_num_queries
):
    for days in range(30):
        start = timezone.now() - timedelta(days=days + 2)
        visit = AppointmentFactory(
            patient=ada, service=checkup, site=site, schedules=[schedule], start=start, end=start + HALF_AN_HOUR
        )
        CommunicationFactory(appointment=visit, occasion=str(days))
        QuestionnaireResponseFactory(appointment=visit)
    client.force_login(alex)
    page = reverse("portal:staff-patient", args=[ada.fhir_id])
    for of in ("past", "messages", "answers", "audit"):
        with django_assert_max_num_queries(25):
            client.get(page, {"of": of, "download": "csv"}).getvalue()


def test_patients_who_were_found_are_downloaded_without_their_name_in_an_address(client, rana, ada, monkeypatch):
    monkeypatch.setattr(search_page, "MOST", 1)
    PatientFactory(given="Una", family="Quinn")
    client.force_login(rana)
    address = reverse("portal:staff-patients")
    page = client.post(address, {"search": "quinn"}).content.decode()
    assert page.count("data-found") == 1
    assert 'name="download" value="csv"' in page
    lines = read(client.post(address, {"search": "quinn", "download": "csv"}))
    assert {line["Patient"] for line in lines} == {"Ada Quinn", "Una Quinn"}
    assert AuditEvent.objects.filter(query="patient finder, CSV").count() == 2


def test_a_file_has_all_pages_of_a_list(client, alex, checkup, monkeypatch):
    monkeypatch.setattr(referral_pages, "ON_A_PAGE", 1)
    monkeypatch.setattr(csv_lists, "AT_ONCE", 2)  # in several batches
    names = {str(ReferralFactory(service=checkup).patient) for _ in range(5)}
    client.force_login(alex)
    lines = read(client.get(reverse("portal:staff-referrals"), {"page": "2", "download": "csv"}))
    assert {line["Patient"] for line in lines} == names
    assert AuditEvent.objects.filter(query="referrals, CSV").count() == 5


def test_the_worklist_is_downloaded_beyond_what_its_page_shows(client, alex, site, monkeypatch):
    monkeypatch.setattr(worklist_page, "PREVIEW", 1)
    for day in (3, 4, 5):
        start = timezone.now() + timedelta(days=day)
        visit = AppointmentFactory(site=site, start=start, end=start + HALF_AN_HOUR)
        CommunicationFactory(appointment=visit, status="not-done", attempts=5)
    client.force_login(alex)
    assert len(read(client.get(reverse("portal:worklist"), {"download": "csv"}))) == 3


def test_a_file_is_in_the_language_of_who_downloads_it(client, alex, world):
    client.force_login(alex)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    line = read(download(client, LISTS["board"], world))[0]
    day = datetime.fromisoformat(world.day)
    assert line["Patient"] == "Ada Quinn"
    assert line["Beginn (ISO 8601)"].startswith(f"{world.day}T10:00:00-0")
    assert line["Beginn"].startswith(f"{day.day}. ")
    assert line["Status"] == "Erwartet"


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(client, alex, world):
    PatientFactory(given="=HYPERLINK(1)", family="+cmd")
    client.force_login(alex)
    lines = read(client.post(reverse("portal:staff-patients"), {"search": "cmd", "download": "csv"}))
    assert lines[0]["Patient"] == "'=HYPERLINK(1) +cmd"


def test_a_birth_date_may_be_partial(client, alex):
    PatientFactory(given="Ola", family="Nord", birth_date=None, extra={"birthDate": "1985-03"})
    client.force_login(alex)
    line = read(client.post(reverse("portal:staff-patients"), {"search": "nord", "download": "csv"}))[0]
    assert (line["Date of birth"], line["Date of birth (ISO 8601)"]) == ("March 1985", "1985-03")


def test_an_empty_list_is_a_file_with_its_header(client, alex):
    client.force_login(alex)
    response = client.get(reverse("portal:staff-referrals"), {"download": "csv"})
    text = response.getvalue().decode("utf-8-sig")
    assert text.startswith("Reference,Patient,Date of birth,Date of birth (ISO 8601),")
    assert len(text.splitlines()) == 1


def test_the_number_of_statements_does_not_grow_with_the_list(
    client, alex, checkup, site, django_assert_max_num_queries
):
    client.force_login(alex)
    for _ in range(30):
        ReferralFactory(service=checkup)
    with django_assert_max_num_queries(25):
        client.get(reverse("portal:staff-referrals"), {"download": "csv"}).getvalue()


def test_no_page_but_a_list_answers_with_a_file(client, alex, world):
    client.force_login(alex)
    assert "html" in client.get(reverse("portal:month"), {"download": "csv"})["Content-Type"]
