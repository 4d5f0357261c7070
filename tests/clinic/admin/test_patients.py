"""The administration of patients and of their data."""

import re
from datetime import date

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains

from clinic.fhir.codes import ROLE_CODES
from clinic.models import (
    CalendarFeed,
    CareTeam,
    Communication,
    Coverage,
    Patient,
    Practitioner,
    QuestionnaireResponse,
    RelatedPerson,
)
from tests.clinic.admin.pages import errors, inline, url
from tests.factories import (
    AppointmentFactory,
    CalendarFeedFactory,
    CareTeamFactory,
    CommunicationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    UserFactory,
)

INLINES = ("related_persons", "message_preferences", "roles")


def test_a_coverage_ends_after_it_starts(desk):
    data = {
        "status": "active",
        "beneficiary": PatientFactory().pk,
        "payor": "Acme",
        "verification": "declared",
        "start": "2026-02-01",
        "end": "2026-01-01",
    }

    assert errors(desk.post(url(Coverage, "add"), data)) == ["It ends before it starts."]
    assert desk.post(url(Coverage, "add"), data | {"end": ""}).status_code == 302
    assert Coverage.objects.get().payor == [{"display": "Acme"}]


def test_practitioners_are_chosen_for_a_care_team_and_others_stay(desk):
    old, new = PractitionerFactory(), PractitionerFactory()
    team = CareTeamFactory(members=[old, PatientFactory()])
    other = team.participant[1]

    response = desk.post(
        url(CareTeam, "change", team.pk),
        {"status": "active", "name": team.name, "patient": team.patient.pk, "practitioners": [new.pk]},
    )

    assert response.status_code == 302, errors(response)
    team.refresh_from_db()
    assert team.participant == [other, {"member": {"reference": new.reference, "display": str(new)}}]


def test_answers_are_read_with_their_questions(desk):
    item = [
        {"linkId": "1", "answer": [{"valueString": "A rash"}]},
        {"linkId": "2", "text": "Allergies?", "answer": [{"valueBoolean": False}]},
        {"linkId": "3", "answer": [{"valueCoding": {"code": "l", "display": "Left"}}, {"valueDecimal": 1.5}]},
    ]
    response = QuestionnaireResponseFactory(item=item)

    page = desk.get(url(QuestionnaireResponse, "change", response.pk)).content.decode()

    for text in ("What brings you here?", "A rash", "Allergies?", "No", "Left, 1.5"):
        assert text in page


def test_a_response_entered_in_error_cannot_become_a_duplicate(desk):
    visit, form = AppointmentFactory(), QuestionnaireFactory()
    wrong = QuestionnaireResponseFactory(appointment=visit, questionnaire=form, status="entered-in-error")
    QuestionnaireResponseFactory(appointment=visit, questionnaire=form)

    response = desk.post(url(QuestionnaireResponse, "change", wrong.pk), {"status": "completed"})

    assert response.status_code == 200
    assert "for the same visit" in errors(response)[0]


def test_a_user_is_a_related_person_of_a_patient_once(desk):
    grace = RelatedPersonFactory(user=UserFactory())
    data = {"active": "on", "patient": grace.patient.pk, "user": grace.user.pk, "given": "Grace", "access": "all"}

    assert "already cares for this patient" in errors(desk.post(url(RelatedPerson, "add"), data))[0]


def test_a_related_person_is_added_on_the_patients_page(desk):
    patient = PatientFactory()
    data = {"active": "on", "given": "Ada", "family": "Quinn", "email": patient.email, "language": "es"}
    carer = inline("related_persons", given="Grace", relationship="Guardian")
    preferences = inline("message_preferences")

    response = desk.post(url(Patient, "change", patient.pk), data | carer | preferences)

    assert response.status_code == 302, errors(response)
    grace = patient.related_persons.get()
    assert (grace.given, grace.relationship, grace.version) == (
        "Grace",
        [{"coding": [{"system": ROLE_CODES, "code": "GUARD"}]}],
        1,
    )
    assert Patient.objects.get().language == "es"


def test_a_message_leads_to_its_visit_and_cannot_be_changed(desk):
    message = CommunicationFactory(appointment=AppointmentFactory(), body="See you on Monday.")
    page = desk.get(url(Communication, "change", message.pk)).content.decode()

    assert reverse("admin:clinic_appointment_change", args=[message.appointment.pk]) in page
    assert "See you on Monday." in page
    assert desk.post(url(Communication, "change", message.pk), {"body": "x"}).status_code == 403
    assert desk.post(url(Communication, "delete", message.pk), {"post": "yes"}).status_code == 403


def test_a_guests_code_is_not_shown(desk):
    message = CommunicationFactory(event="proof", subject="123456 is your code", body="Your code is 123456.")

    assert "123456" not in desk.get(url(Communication, "change", message.pk)).content.decode()


def test_a_calendar_feed_is_revoked_and_its_secret_not_shown(desk):
    feed, gone = CalendarFeedFactory(), CalendarFeedFactory(revoked="2026-01-01T00:00:00Z")
    before = gone.revoked
    page = desk.get(url(CalendarFeed, "change", feed.pk)).content.decode()

    desk.post(url(CalendarFeed, "changelist"), {"action": "revoke", "_selected_action": [feed.pk, gone.pk]})

    assert feed.secret_digest not in page
    feed.refresh_from_db()
    gone.refresh_from_db()
    assert feed.revoked is not None
    assert f"{gone.revoked:%Y-%m-%d}" == before[:10]


def test_a_row_that_was_left_empty_is_nobody(desk):
    patient = PatientFactory()
    data = {"active": "on", "given": "Ada"}
    blank = inline("related_persons", active="on", relationship="")

    desk.post(url(Patient, "change", patient.pk), data | blank | inline("message_preferences"))

    assert Patient.objects.get().given == "Ada"
    assert not RelatedPerson.objects.exists()


@pytest.mark.parametrize("kind", [Patient, Practitioner])
@pytest.mark.parametrize(
    ("country", "typed", "born", "text"),
    [
        ("US", "1985", "1985", "1985"),
        ("US", "1985-03", "1985-03", "1985-03"),
        ("US", "03/04/1985", "1985-03-04", "03/04/1985"),
        ("GB", "03/04/1985", "1985-04-03", "03/04/1985"),
        ("GB", "1985-03-27", "1985-03-27", "27/03/1985"),
        ("US", "", "", ""),
    ],
)
def test_as_much_of_a_birth_date_is_entered_as_is_known(
    desk, settings, fresh_formats, kind, country, typed, born, text
):
    settings.CLINIC_COUNTRY = country
    person = (PatientFactory if kind is Patient else PractitionerFactory)(
        given="Ann", family="Lee", birth_date=None, extra={"birthDate": "1970", "maritalStatus": {"text": "single"}}
    )
    address = url(kind, "change", person.pk)
    assertContains(desk.get(address), 'name="born" value="1970"')
    inlines = {f"{name}-{kind}_FORMS": "0" for name in INLINES for kind in ("TOTAL", "INITIAL")}
    data = {"active": "on", "given": "Ann", "family": "Lee", "born": typed, **inlines}
    response = desk.post(address, data)
    assert response.status_code == 302, errors(response)
    person = kind.objects.get()
    assert (person.born, person.extra["maritalStatus"]) == (born, {"text": "single"})
    assert ("birthDate" in person.extra) == (len(born) in (4, 7))
    page = desk.get(address).content.decode()
    assert (re.search(r'name="born"(?: value="([^"]*)")?', page)[1] or "") == text


@pytest.mark.parametrize("typed", ["1985-13", "31/31/1985", "85", "2999", "yesterday", "0001"])
def test_an_invalid_birth_date_is_refused(desk, typed):
    inlines = {f"{name}-{kind}_FORMS": "0" for name in INLINES for kind in ("TOTAL", "INITIAL")}
    assert errors(desk.post(url(Patient, "add"), {"given": "Ann", "born": typed, **inlines}))
    assert not Patient.objects.exists()


def test_the_list_shows_partial_birth_dates(desk):
    PatientFactory(birth_date=None, extra={"birthDate": "1985-03"})
    PatientFactory(birth_date=date(1985, 3, 27))
    page = desk.get(url(Patient, "changelist"))
    assertContains(page, "March 1985")
    assertContains(page, "Mar 27, 1985")
