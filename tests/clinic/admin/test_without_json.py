"""No page of Administration asks people for JSON, but for the questions of a questionnaire, for integrators."""

import pytest
from django.contrib import admin
from django.db.models import JSONField

from clinic.admin.fields import ElementsField
from clinic.fhir.codes import LANGUAGE
from clinic.models import Practitioner, PractitionerRole
from tests.clinic.admin.pages import errors, inline, url
from tests.factories import PractitionerFactory, RoleFactory

QUESTIONS = ("Questionnaire", "item")


def json_fields(model_admin, request):
    """The fields of a page and of its inlines in which somebody would type JSON."""
    pages = [model_admin, *(each for each in model_admin.get_inline_instances(request))]
    for page in pages:
        form = page.get_formset(request).form if hasattr(page, "get_formset") else page.get_form(request)
        for name, field in form.base_fields.items():
            if isinstance(field, (ElementsField, JSONField().formfield().__class__)):
                yield page.model.__name__, name


def test_nobody_types_json(desk, rf, django_user_model):
    request = rf.get("/")
    request.user = django_user_model.objects.get(is_superuser=True)
    ours = [page for page in admin.site._registry.values() if page.opts.app_label == "clinic"]
    pages = [page for page in ours if page.has_change_permission(request)]
    found = {each for page in pages for each in json_fields(page, request)}

    assert found == {QUESTIONS}
    sections = [dict(options) for _name, options in admin.site._registry[_questionnaire()].fieldsets]
    [section] = [each for each in sections if "item" in each["fields"]]
    assert "collapse" in section["classes"]
    assert "connect other systems" in str(section["description"])


def _questionnaire():
    return next(model for model in admin.site._registry if model.__name__ == "Questionnaire")


def test_languages_are_chosen_by_name_and_others_stay(desk):
    own = {"text": "Plattdeutsch"}
    person = PractitionerFactory(communication=[own])
    data = {"active": "on", "family": "Chen", "communication": ["Plattdeutsch", "spanish", ""]}

    response = desk.post(url(Practitioner, "change", person.pk), data | inline("roles"))

    assert response.status_code == 302, errors(response)
    person.refresh_from_db()
    assert person.communication == [own, {"coding": [{"system": LANGUAGE, "code": "es"}]}]


@pytest.mark.parametrize(("typed", "code"), [(["Dermatology"], "394582007"), (["Skin and hair"], None)])
def test_specialties_are_known_by_name_or_are_words(desk, typed, code):
    role = RoleFactory()
    data = {"active": "on", "practitioner": role.practitioner.pk, "specialty": typed, "identifier": "17"}

    response = desk.post(url(PractitionerRole, "change", role.pk), data)

    assert response.status_code == 302, errors(response)
    role.refresh_from_db()
    [concept] = role.specialty
    assert concept["text"] == typed[0]
    assert [each["code"] for each in concept.get("coding", ())] == ([code] if code else [])
    assert role.identifier == [{"value": "17"}]
