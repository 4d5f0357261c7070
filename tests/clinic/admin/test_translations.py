"""Translations of the clinic's texts in the administration."""

from clinic import translations
from clinic.fhir.codes import RED_FLAG
from clinic.models import Device, HealthcareService, Location, Questionnaire
from tests.clinic.admin.pages import inline, url
from tests.clinic.admin.test_clinic import SERVICE
from tests.factories import DeviceFactory, LocationFactory, QuestionnaireFactory, ServiceFactory

ITEM = [
    {
        "linkId": "1",
        "type": "choice",
        "text": "How are you?",
        "answerOption": [{"valueCoding": {"code": "well", "display": "Well"}}, {"valueString": "Ill"}],
        "item": [{"linkId": "1.1", "type": "string", "text": "Since when?"}],
    }
]
ALARMS = [
    {
        "linkId": "pain",
        "type": "choice",
        "text": "Chest pain?",
        "answerOption": [{"valueString": "Yes", "extension": [{"url": RED_FLAG, "valueString": "Call 911 now."}]}],
    },
    {
        "linkId": "fever",
        "type": "boolean",
        "text": "Fever?",
        "extension": [{"url": RED_FLAG, "valueString": "Stay at home."}],
    },
]


def test_a_service_has_a_field_for_each_text_and_language(desk):
    service = ServiceFactory(name="Check-up", comment="A first look.", preparation="Fast.")
    address = url(HealthcareService, "change", service.pk)
    form = desk.get(address).context["adminform"].form
    assert [form[name].label for name in ("name_es", "comment_es", "preparation_es")] == [
        *("Name (Spanish)", "Comment (Spanish)", "Preparation (Spanish)")
    ]
    typed = {"name_es": "Revisión", "preparation_es": "En ayunas."}
    answer = desk.post(address, SERVICE | inline("scheduling_parameters") | typed)
    assert answer.status_code == 302
    service.refresh_from_db()
    assert translations.text_of(service, "name", "es") == "Revisión"
    assert translations.text_of(service, "preparation", "es") == "En ayunas."
    assert "_comment" not in service.extra
    assert desk.get(address).context["adminform"].form["name_es"].value() == "Revisión"


def test_translations_into_further_languages_stay(desk):
    site = LocationFactory(name="Main Street", extra={})
    translations.translate(site.extra, "name", {"es": "Calle Mayor", "fr": "Grande Rue"})
    site.save()
    data = {"status": "active", "name": "Main Street", "name_es": "", "timezone": site.timezone}
    desk.post(url(Location, "change", site.pk), data)
    site.refresh_from_db()
    assert translations.translations_of(site, "name") == {"fr": "Grande Rue"}


def test_a_new_site_can_be_named_in_both_languages_at_once(desk):
    data = {"status": "active", "name": "Main Street", "name_es": "Calle Mayor", "timezone": "America/New_York"}
    assert desk.post(url(Location, "add"), data).status_code == 302
    assert translations.text_of(Location.objects.get(), "name", "es") == "Calle Mayor"


def test_a_device_is_named_in_both_languages(desk):
    device = DeviceFactory(name="Scanner", extra={})
    data = {"status": "active", "name": "Scanner", "name_es": "Ecógrafo", "location": device.location_id}
    assert desk.post(url(Device, "change", device.pk), data).status_code == 302
    device.refresh_from_db()
    assert translations.text_of(device, "name", "es") == "Ecógrafo"
    form = desk.get(url(Device, "change", device.pk)).context["adminform"].form
    assert (form["name_es"].label, form["name_es"].value()) == ("Name (Spanish)", "Ecógrafo")


def test_questions_and_options_are_translated_without_json(desk):
    form = QuestionnaireFactory(title="Before", item=ITEM)
    address = url(Questionnaire, "change", form.pk)
    page = desk.get(address).context["adminform"].form
    labels = [page[f"question_{number}_es"].label for number in range(4)]
    assert labels == [
        *("How are you? (Spanish)", "How are you?: Well (Spanish)", "How are you?: Ill (Spanish)"),
        "Since when? (Spanish)",
    ]
    data = {name: page[name].value() or "" for name in ("title", "status", "name", "url")}
    data |= {"item": page["item"].value(), "identifier": "", "title_es": "Antes"}
    data |= {f"question_{n}_es": text for n, text in enumerate(["¿Cómo está?", "Bien", "Mal", "¿Desde cuándo?"])}
    answer = desk.post(address, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    form.refresh_from_db()
    assert translations.text_of(form, "title", "es") == "Antes"
    [item] = form.item
    assert translations.text_in(item, "text", "es") == "¿Cómo está?"
    well, ill = item["answerOption"]
    assert translations.text_in(well["valueCoding"], "display", "es") == "Bien"
    assert translations.text_in(ill, "valueString", "es") == "Mal"
    assert translations.text_in(item["item"][0], "text", "es") == "¿Desde cuándo?"


def test_instructions_for_red_flags_are_translated_too(desk):
    form = QuestionnaireFactory(title="Before", item=ALARMS)
    address = url(Questionnaire, "change", form.pk)
    page = desk.get(address).context["adminform"].form
    labels = [page[f"question_{number}_es"].label for number in range(5)]
    assert labels == [
        "Chest pain? (Spanish)",
        "Chest pain?: Yes (Spanish)",
        "Chest pain?: Yes: Call 911 now. (Spanish)",
        "Fever? (Spanish)",
        "Fever?: Stay at home. (Spanish)",
    ]
    data = {name: page[name].value() or "" for name in ("title", "status", "name", "url")}
    data |= {"item": page["item"].value(), "identifier": ""}
    data |= {"question_2_es": "Llame al 911 ahora.", "question_4_es": "Quédese en casa."}
    answer = desk.post(address, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    form.refresh_from_db()
    pain, fever = form.item
    alarms = [pain["answerOption"][0]["extension"][0], fever["extension"][0]]
    assert [translations.text_in(alarm, "valueString", "es") for alarm in alarms] == [
        "Llame al 911 ahora.",
        "Quédese en casa.",
    ]
    assert [alarm["valueString"] for alarm in alarms] == ["Call 911 now.", "Stay at home."]
    again = desk.get(address).context["adminform"].form
    assert again["question_2_es"].value() == "Llame al 911 ahora."
