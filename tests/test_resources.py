"""A resource is one declaration: scopes, pages, searches and history all derive from its model."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.test.utils import isolate_apps
from django.urls import reverse

from api.conformance.routes import interactions_of
from api.search import expression, parameters_of
from clinic.admin_site import OF_LIBRARIES, SECTIONS
from clinic.exact_json import ExactJSONField
from clinic.fhir.resources import RESOURCES
from clinic.models import RESOURCE_MODELS, Appointment, Resource, Slot
from portal.oauth import app_access
from scheduling import access
from scheduling.access import Caller, Scope
from scheduling.access.compartments import PATIENT, PUBLIC, patient_of
from scheduling.access.resource_rules import RULES, ResourceRule, require_rules
from scheduling.interactions.referrers import LISTS
from tests.factories import FACTORIES, UserFactory

# The lookup of the patient, and the readers: everybody who is signed in, or by the rule of its type.
DECLARED = {
    "Organization": (None, "open"),
    "Location": (None, "open"),
    "Practitioner": (None, "open"),
    "Questionnaire": (None, "open"),
    "HealthcareService": (None, "open"),
    "PractitionerRole": (None, "open"),
    "Device": (None, "open"),
    "InsurancePlan": (None, "open"),
    "Patient": ("pk", "by rule"),
    "RelatedPerson": ("patient", "by rule"),
    "Coverage": ("beneficiary", "by rule"),
    "CareTeam": ("patient", "by rule"),
    "ServiceRequest": ("patient", "by rule"),
    "Schedule": ("bookable__patient", "by rule"),
    "Slot": ("appointment__patient", "by rule"),
    "Appointment": ("patient", "by rule"),
    "AppointmentResponse": ("appointment__patient", "by rule"),
    "QuestionnaireResponse": ("patient", "by rule"),
    "Encounter": ("patient", "by rule"),
    "Task": ("patient", "by rule"),
    "Subscription": (None, "by rule"),
    "Communication": ("patient", "by rule"),
    "AuditEvent": (None, "by rule"),
}
TRIGGERS = {"keep_version", "words_of_new", "words_of_changed", "words_of_gone", "words_of_none"}


def test_every_resource_has_its_declaration_and_its_place_in_the_order():
    stored = [model for model in apps.get_app_config("clinic").get_models() if issubclass(model, Resource)]
    assert {model.RESOURCE_TYPE for model in stored} == set(RESOURCES) == set(DECLARED)
    assert [kind.model for kind in RESOURCES.values()] == list(RESOURCE_MODELS)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", RESOURCES)
def test_all_that_concerns_a_type_follows_from_its_declaration(kind):
    model, (patient, visibility) = RESOURCES[kind].model, DECLARED[kind]

    assert (model.PATIENT, PATIENT.get(kind)) == (patient, patient)
    assert patient is None or patient.rpartition("__")[2] in ("pk", "patient", "beneficiary"), "history reads these"
    assert patient is None or not model._default_manager.filter(**{patient: 0}).exists()
    assert (kind in PUBLIC) == model.DESCRIBES_CLINIC
    assert (kind not in RULES) == (visibility == "open")
    FACTORIES[kind]()
    assert access.visible(model, Caller(user=UserFactory())).exists() == model.DESCRIBES_CLINIC
    assert not access.visible(model, Caller()).exists()

    assert {"read", "vread", "history-instance", "search-type"} <= set(interactions_of(kind))
    assert ("create" in interactions_of(kind)) == (RESOURCES[kind].from_fhir is not None)
    assert all(isinstance(expression(kind, name), str) for name in parameters_of(kind))

    label = app_access.permissions([str(Scope("user", kind, "rs"))])[0].text
    assert label.startswith("See ")
    assert str(model.PLAIN_NAME) in label
    if kind != "AppointmentResponse":  # staff see an answer on its visit's page
        assert admin.site._registry[model].section in SECTIONS[:-1]

    assert [(column, inner) for listed, column, inner in LISTS if listed is model] == list(model.REFERENCE_LISTS)
    assert all(isinstance(model._meta.get_field(column), ExactJSONField) for column, _ in model.REFERENCE_LISTS)


@pytest.mark.django_db
def test_the_database_keeps_the_history_and_the_words_of_every_type():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal")
        found = {(table, name) for table, name in cursor.fetchall() if name in TRIGGERS}
    assert found == {(model._meta.db_table, name) for model in RESOURCE_MODELS for name in TRIGGERS}


def test_a_slot_knows_its_patient_and_does_not_tell():
    ada = 7
    slot = Slot(appointment=Appointment(patient_id=ada))
    assert slot.appointment.patient_id == ada
    assert patient_of(slot) is None
    assert patient_of(slot.appointment) == ada


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({}, "PATIENT and DESCRIBES_CLINIC"),
        ({"PATIENT": None}, "DESCRIBES_CLINIC"),
        ({"DESCRIBES_CLINIC": True}, "PATIENT"),
    ],
)
@isolate_apps("clinic")
def test_a_type_that_does_not_say_whose_it_is_or_who_may_read_it_is_refused(facts, missing):
    with pytest.raises(ImproperlyConfigured, match=f"^Basic does not declare {missing}\\.$"):
        new_type(**facts)


@pytest.mark.parametrize(
    ("facts", "is_refused"),
    [
        ({"PATIENT": None, "DESCRIBES_CLINIC": True}, False),
        ({"PATIENT": None, "DESCRIBES_CLINIC": False}, True),
        ({"PATIENT": "patient", "DESCRIBES_CLINIC": False}, True),
        ({"PATIENT": "bookable__patient", "DESCRIBES_CLINIC": True}, True),
    ],
)
@isolate_apps("clinic")
def test_a_type_that_is_not_open_needs_a_rule_for_who_may_read_it(facts, is_refused, monkeypatch):
    model = new_type(**facts)
    if is_refused:
        with pytest.raises(ImproperlyConfigured, match=r"^No rule says who may read Basic\.$"):
            require_rules([*RESOURCE_MODELS, model])
        monkeypatch.setitem(RULES, "Basic", ResourceRule(read=lambda caller: models.Q(pk__in=[])))
    require_rules([*RESOURCE_MODELS, model])


def test_the_start_asks_for_the_rules(monkeypatch):
    monkeypatch.delitem(RULES, "CareTeam")
    with pytest.raises(ImproperlyConfigured, match="CareTeam"):
        apps.get_app_config("scheduling").ready()


def test_models_of_libraries_have_a_section_while_they_are_there(client):
    labels = {model._meta.label for model in admin.site._registry}
    assert OF_LIBRARIES.keys() <= labels
    assert {section for section, _ in OF_LIBRARIES.values()} <= set(SECTIONS)
    assert not any(hasattr(admin.site._registry[apps.get_model(label)], "section") for label in OF_LIBRARIES)


@pytest.mark.django_db
def test_the_first_page_of_the_administration_keeps_its_order(admin_client):
    sections = admin_client.get(reverse("admin:index")).context["app_list"]
    found = {section["name"]: [model["object_name"] for model in section["models"]] for section in sections}
    assert list(found) == list(SECTIONS[:-1])
    assert found["Visits"] == [
        "Appointment",
        "Slot",
        "Encounter",
        "QuestionnaireResponse",
        "Communication",
        "Payment",
        "DeskPayment",
    ]
    assert found["Patients"] == [
        "Patient",
        "RelatedPerson",
        "Coverage",
        "CareTeam",
        "ServiceRequest",
        "MessagePreferences",
        "Task",
    ]
    assert found["Who signs in"] == ["User", "Group", "EmailAddress", "CalendarFeed"]


def new_type(**facts: Any) -> type[Resource]:
    """A resource that FHIR stores as Basic, with these facts."""

    class Meta:
        app_label = "clinic"

    return type("Basic", (Resource,), {"__module__": __name__, "RESOURCE_TYPE": "Basic", "Meta": Meta, **facts})
