"""Disclosures in the admin are recorded: https://hl7.org/fhir/R4/auditevent.html"""

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.models import (
    Appointment,
    AuditEvent,
    CalendarFeed,
    CareTeam,
    Communication,
    Coverage,
    Encounter,
    HealthcareService,
    MessagePreferences,
    Patient,
    Practitioner,
    QuestionnaireResponse,
    RelatedPerson,
    Slot,
    User,
)
from tests.clinic.admin.pages import url
from tests.factories import (
    AppointmentFactory,
    AuditEventFactory,
    CalendarFeedFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    EncounterFactory,
    MessagePreferencesFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
)
from tests.scheduling.situations import monday

IDENTIFYING_TYPES = [
    *(Patient, RelatedPerson, Coverage, CareTeam, Appointment, Slot, QuestionnaireResponse, Encounter),
    *(Communication, MessagePreferences, CalendarFeed, AuditEvent, User),
]


@pytest.fixture
def record(service, chen, ada):
    """A row of each kind that contains data of Ada, by its model."""
    visit = AppointmentFactory(service=service, patient=ada, schedules=[chen], start=monday(10), site=chen.site)
    rows = [
        ada,
        RelatedPersonFactory(patient=ada),
        CoverageFactory(beneficiary=ada),
        CareTeamFactory(patient=ada),
        visit,
        visit.slots.get(),
        QuestionnaireResponseFactory(appointment=visit, patient=ada),
        EncounterFactory(appointment=visit, patient=ada),
        CommunicationFactory(appointment=visit, patient=ada),
        MessagePreferencesFactory(patient=ada),
        CalendarFeedFactory(patient=ada),
        AuditEventFactory(patient=ada),
        ada.user,
    ]
    return {type(row): row for row in rows}


def lines(**which):
    return AuditEvent.objects.filter(subtype__in=("read", "search"), **which)


@pytest.mark.parametrize("model", IDENTIFYING_TYPES)
def test_opening_a_patients_page_is_recorded(desk, alex, ada, record, model):
    for page in ("change", "history"):
        AuditEvent.objects.filter(user=alex).delete()
        desk.get(url(model, page, record[model].pk))
        line = lines(user=alex).get()
        assert (line.subtype, line.action, line.patient, line.query) == ("read", "R", ada, "")
        assert line.target


@pytest.mark.parametrize("model", IDENTIFYING_TYPES)
def test_a_list_is_recorded_with_its_query(desk, alex, ada, record, model):
    desk.get(url(model, "changelist"), {"o": "1"})
    line = lines(user=alex, patient=ada).get()
    assert (line.subtype, line.action, line.target) == ("search", "E", "")
    assert line.query == url(model, "changelist") + "?o=1"


def test_a_patient_is_named_by_what_was_opened(desk, record):
    desk.get(url(Coverage, "change", record[Coverage].pk))
    assert lines().get().target == record[Coverage].reference


def test_only_the_patients_on_the_page_of_a_list_are_recorded(desk, ada, bo):
    desk.get(url(Patient, "changelist"), {"q": "Quinn"})
    assert [line.patient for line in lines()] == [ada]


def test_the_page_that_asks_before_many_are_deleted(desk, ada, bo):
    desk.post(url(Patient, "changelist"), {"action": "delete_selected", "_selected_action": [ada.pk]})
    assert lines().get().patient == ada


def test_names_that_are_offered_while_somebody_types_once_an_hour(desk, ada):
    field = {"app_label": "clinic", "model_name": "coverage", "field_name": "beneficiary"}
    for typed in ("A", "Ad", "Ada"):
        assert desk.get(reverse("admin:autocomplete"), field | {"term": typed}).json()["results"]
    line = lines().get()
    assert (line.patient, line.query) == (ada, "/admin/autocomplete/")


@pytest.mark.parametrize("model", [HealthcareService, Practitioner])
def test_a_page_that_tells_of_no_patient_leaves_no_line(desk, record, service, chen, model):
    desk.get(url(model, "changelist"))
    desk.get(url(model, "change", model.objects.first().pk))
    assert not lines().exists()


def test_a_refused_user_learns_nothing(client, ada, bo):
    client.force_login(bo.user)
    client.get(url(Patient, "change", ada.pk))
    assert not lines().exists()


def test_a_page_that_cannot_be_recorded_is_not_shown(desk, ada):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clinic_auditevent ADD CHECK (subtype <> 'read') NOT VALID")
    with pytest.raises(IntegrityError):
        desk.get(url(Patient, "change", ada.pk))


def test_a_page_is_written_down_in_one_statement(desk, ada, bo):
    with CaptureQueriesContext(connection) as captured:
        desk.get(url(Patient, "changelist"))
    assert len([each for each in captured if "INSERT" in each["sql"]]) == 1
    assert lines().count() == 2
