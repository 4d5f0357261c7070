"""Administration speaks one language on a page: the reader's."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.templatetags.admin_list import result_headers
from django.forms.models import ModelChoiceField
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import override

from api.conformance.code_systems import code_systems
from clinic.fhir import codes
from clinic.models import Device, Event
from tests.clinic.admin.pages import url
from tests.clinic.admin.test_every_page import FACTORIES
from tests.factories import DeviceFactory

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
# Labels that are the same in the other language.
SAME = {
    "de": {
        *("administration", "client", "code", "client-id", "client id", "id", "in progress", "jwt token id", "logo"),
        *("name", "patient", "plug-in", "routine", "s256", "slot", "slots", "status", "text", "token", "url"),
        *("version", "webhook", "webhooks", "software", "rest hook"),
    },
    "es": {"error", "id", "nonce", "s256", "token", "url"},
}
# Words that django-oauth-toolkit's pages do not mark for translation, and that Django's German lacks.
OF_A_LIBRARY = {
    *("code", "pk", "revoke selected access tokens", "revoke selected refresh tokens"),
    *("password-based authentication", "enabled", "disabled"),
    "raw passwords are not stored, so there is no way to see the user\u2019s password.",
    "whether the user will be able to authenticate using a password or not. if disabled, they may still be able to"
    " authenticate using other backends, such as single sign-on or ldap.",
}


def every_label(response) -> Iterator[str]:
    """Yield the labels of a page in the order of its columns, fields and choices, without data."""
    context = response.context
    if "cl" in context:
        yield from (str(header["text"]) for header in result_headers(context["cl"]))
        yield from (str(each.title) for each in context["cl"].filter_specs)
        form = context["action_form"]
        yield from (str(label) for _value, label in form.fields["action"].choices) if form else ()
        yield str(context["cl"].model_admin.search_help_text or "")
    if "adminform" in context:
        inlines = list(context["inline_admin_formsets"])
        for inline in inlines:
            yield from (str(inline.opts.verbose_name), str(inline.opts.verbose_name_plural))
        for fieldsets in (context["adminform"], *(form for inline in inlines for form in inline)):
            for fieldset in fieldsets:
                yield from (str(fieldset.name or ""), str(fieldset.description or ""))
                for line in fieldset:
                    for field in line:
                        yield from _labels(field)
    yield from (str(context["opts"].verbose_name), str(context["opts"].verbose_name_plural))


def _labels(field) -> Iterator[str]:
    if field.is_readonly:
        yield from (str(field.field["label"]), str(field.field["help_text"]))
        return
    bound = field.field
    if bound.is_hidden:
        return
    yield from (str(bound.label), str(bound.help_text))
    choices = getattr(bound.field, "choices", ())
    if not isinstance(bound.field, ModelChoiceField):
        yield from (str(label) for _value, label in choices)


def pages(model, client) -> list[str]:
    """Return the addresses of a model's pages: the list, that of a row, and that of a new row if one can be added."""
    row = model._default_manager.order_by("pk").first()
    found = [url(model, "changelist"), *([url(model, "change", row.pk)] if row else ())]
    request = client.get(found[0]).wsgi_request
    return [*found, url(model, "add")] if admin.site._registry[model].has_add_permission(request) else found


def labels_in(language: str, client, address: str) -> list[str]:
    response = client.get(address, headers={"Accept-Language": language})
    with override(language):
        return list(every_label(response))


def is_english(label: str, language: str) -> bool:
    return label.casefold() not in SAME[language] | OF_A_LIBRARY and any(letter.isalpha() for letter in label)


@pytest.fixture
def rows(db):
    for make in FACTORIES:
        make()


def test_no_page_of_a_model_shows_an_english_label_to_a_reader_of_another_language(desk, rows):
    english = []
    for model in admin.site._registry:
        for address in pages(model, desk):
            labels = labels_in("en", desk, address)
            for language in LANGUAGES:
                pairs = zip(labels, labels_in(language, desk, address), strict=True)
                same = [one for one, other in pairs if one == other and is_english(one, language)]
                english += [(language, model.__name__, label) for label in same]
    assert not english, "\n".join(f"{language}, {model}: {label}" for language, model, label in english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_has_sections_and_models_in_the_readers_language(desk, language):
    def names(language):
        sections = desk.get(reverse("admin:index"), headers={"Accept-Language": language}).context["app_list"]
        models = [str(model["name"]) for section in sections for model in section["models"]]
        return {*models, *(section["name"] for section in sections)}

    assert not [name for name in names("en") & names(language) if is_english(name, language)]


def test_labels_wait_for_their_reader():
    for model in admin.site._registry:
        labels = [model._meta.verbose_name, model._meta.verbose_name_plural]
        labels += [field.verbose_name for field in model._meta.fields if not field.auto_created]
        assert not [label for label in labels if not isinstance(label, Promise)], model


@pytest.mark.django_db
def test_choices_are_translated_for_people_and_stay_english_in_fhir():
    with override("es"):
        assert str(Event.CONFIRMATION.label) == "Se confirma una cita"
        events = next(system for system in code_systems("https://x.example") if system["url"] == codes.EVENT)
    assert "A visit is booked" in [concept["display"] for concept in events["concept"]]


def test_the_history_is_read_in_the_language_of_its_reader(desk):
    device = DeviceFactory(name="Scanner")
    data = {
        "status": "inactive",
        "name": "Scanner 2",
        "timezone": device.timezone,
        "location": device.location_id or "",
    }
    desk.post(url(Device, "change", device.pk), data, headers={"Accept-Language": "en"})
    [entry] = LogEntry.objects.all()
    with override("es"):
        assert entry.get_change_message() == "Modificado estado y nombre."
    with override("en"):
        assert entry.get_change_message() == "Changed status and name."
