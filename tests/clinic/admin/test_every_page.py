"""Every page of the administration opens, and only for administrators."""

from itertools import count

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.country import clinic_zone
from clinic.models import (
    AuditEvent,
    CalendarFeed,
    CareTeam,
    Communication,
    Coverage,
    Device,
    Encounter,
    HealthcareService,
    InsurancePlan,
    Location,
    MessagePreferences,
    MessageTemplate,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    Questionnaire,
    QuestionnaireResponse,
    RelatedPerson,
    Schedule,
    ServiceRequest,
    Task,
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
    DeviceFactory,
    EncounterFactory,
    InsurancePlanFactory,
    MessagePreferencesFactory,
    MessageTemplateFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)

NOUNS = [
    Organization,
    Location,
    Device,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Patient,
    RelatedPerson,
    Coverage,
    CareTeam,
    InsurancePlan,
    ServiceRequest,
    Task,
    Encounter,
    Questionnaire,
    QuestionnaireResponse,
    Schedule,
    Communication,
    MessageTemplate,
    MessagePreferences,
    CalendarFeed,
    AuditEvent,
    User,
]
MADE_ELSEWHERE = (QuestionnaireResponse, ServiceRequest, Task, Encounter, Communication, CalendarFeed, AuditEvent)
LANGUAGES = (f"l{number}" for number in count())
FACTORIES = [
    RoleFactory,
    RoomFactory,
    DeviceFactory,
    ServiceFactory,
    PatientFactory,
    QuestionnaireFactory,
    ScheduleFactory,
    AuditEventFactory,
    UserFactory,
    lambda: RelatedPersonFactory(user=UserFactory()),
    CoverageFactory,
    InsurancePlanFactory,
    ReferralFactory,
    lambda: RecallFactory(appointment=AppointmentFactory()),
    lambda: CareTeamFactory(members=[PractitionerFactory()]),
    lambda: EncounterFactory(appointment=AppointmentFactory()),
    lambda: QuestionnaireResponseFactory(appointment=AppointmentFactory()),
    lambda: CommunicationFactory(appointment=AppointmentFactory()),
    lambda: MessageTemplateFactory(language=next(LANGUAGES)),
    MessagePreferencesFactory,
    lambda: CalendarFeedFactory(practitioner=PractitionerFactory()),
]


@pytest.mark.parametrize("model", NOUNS)
def test_every_page_of_a_model_opens_for_the_administrator(desk, model):
    for make in FACTORIES:
        make()
    row = model.objects.order_by("pk").first()

    assert desk.get(url(model, "changelist")).status_code == 200
    assert desk.get(url(model, "changelist"), {"q": "x"}).status_code == 200
    assert desk.get(url(model, "change", row.pk)).status_code == 200
    assert desk.get(url(model, "history", row.pk)).status_code == 200
    assert desk.get(url(model, "add")).status_code == (403 if model in MADE_ELSEWHERE else 200)


@pytest.mark.parametrize("model", NOUNS)
def test_only_administrators_come_in(client, db, model):
    client.force_login(UserFactory())

    for page in ("changelist", "add"):
        response = client.get(url(model, page))
        assert response.status_code == 302
        assert response.url.startswith(reverse("admin:login"))


def statements_of_lists(desk) -> dict[str, int]:
    """Return how many statements each list takes when it is opened."""
    numbers = {}
    for model in NOUNS:
        if model is not User:
            with CaptureQueriesContext(connection) as statements:
                desk.get(url(model, "changelist"))
            numbers[model.__name__] = len(statements)
    return numbers


def test_a_list_costs_the_same_however_long_it_is(desk):
    for make in FACTORIES:
        make()
    statements_of_lists(desk)  # content types are cached after the first lookup
    few = statements_of_lists(desk)
    for make in FACTORIES * 4:
        make()
    clinic_zone()  # the cache is cleared when sites change
    many = statements_of_lists(desk)

    assert {name: number for name, number in few.items() if number > 40} == {}
    assert {name: (few[name], number) for name, number in many.items() if number > few[name]} == {}


def test_the_list_of_all_models_is_made_for_the_first_page_alone(desk, monkeypatch):
    monkeypatch.setattr(admin.site, "_build_app_dict", lambda *_: pytest.fail("It takes a third of the time."))
    assert desk.get(url(Device, "changelist")).status_code == 200


def test_the_clinics_name_is_on_every_page(desk, settings):
    assert settings.CLINIC_NAME in desk.get(reverse("admin:index")).content.decode()


def test_the_first_page_has_each_kind_of_record_in_a_section(desk):
    sections = desk.get(reverse("admin:index")).context["app_list"]
    names = [model["object_name"] for section in sections for model in section["models"]]
    assert sorted(names) == sorted(model.__name__ for model in admin.site._registry)
    assert "Others" not in [section["name"] for section in sections]


def test_an_audit_event_is_found_by_its_use_case(desk):
    for subtype in ("read", "book"):
        AuditEventFactory(subtype=subtype)
    found = desk.get(url(AuditEvent, "changelist"), {"q": "book"}).context["cl"].result_list
    assert [event.subtype for event in found] == ["book"]


def test_every_registered_list_opens(desk):
    for model in admin.site._registry:
        assert desk.get(url(model, "changelist")).status_code == 200, model
