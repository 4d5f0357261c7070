"""Every text is translated, keeps the meaning's parts, and is marked for translation."""

import gettext
import re
from importlib import import_module
from pathlib import Path

import django
import pytest
from django.conf import settings

from portal.common.languages import OWN_NAMES
from portal.management import texts

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language):
    assert not [(each.id, each.locations) for each in texts.missing(texts.merged(language))]


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_each_language_has_its_own_name_and_formats(language):
    assert OWN_NAMES[language]
    assert import_module(f"clinic.country_formats.{language}.formats").DATE_FORMAT


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_holds_the_texts_of_today_and_no_others(language):
    texts_of_today = {(each.id, each.context) for each in texts.extracted() if each.id}
    assert {
        (each.id, each.context) for each in texts.read(texts.po_file(language), language) if each.id
    } == texts_of_today


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_translation_keeps_the_placeholders(language):
    assert not texts.misplaced(texts.read(texts.po_file(language), language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalog_is_the_written_one(language):
    path = texts.po_file(language)
    assert path.with_suffix(".mo").read_bytes() == texts.compiled(texts.read(path, language)), (
        f"Run: python manage.py update_translations {language}"
    )


@pytest.mark.parametrize("path", list(texts.templates()), ids=lambda path: str(path.relative_to(texts.ROOT)))
def test_no_word_of_a_template_escapes_translation(path):
    assert not texts.untranslated(path.read_text())


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{% translate "Hello" %} {{ name }}</p>', []),
        ("<p>{% blocktranslate %}Hello{% endblocktranslate %}, {% if x %}friend{% endif %}</p>", [", friend"]),
        ('<img alt="A house"><input placeholder="{{ hint }}">', ["A house"]),
        ("<code>clinic-demo</code><!-- a note -->{% comment %}Later{% endcomment %}{# and this #}", []),
        ('{% if needed %} required{% endif %} aria-label="{% translate "Name" %}"', []),
        ("<{% if group %}fieldset{% else %}div{% endif %} class='field'>…</div>", []),
    ],
)
def test_words_outside_of_translation_are_found(template, found):
    assert texts.untranslated(template) == found


def test_a_spanish_text_has_no_period_behind_a_clock():
    """The clock has its own: 2:23 p.m."""
    clocks = ("%(time)s.", "a time such as %(example)s.", "{{ time }}.")
    behind_a_clock = [
        each.string
        for each in texts.read(texts.po_file("es"), "es")
        if not any(path.startswith("templates/messages/") for path, _line in each.locations)  # these add the zone
        and any(clock in str(each.id) for clock in clocks)
        and (each.string.endswith("s.") or "%(time)s. " in each.string)
    ]
    assert not behind_a_clock


@pytest.mark.parametrize(
    ("other", "about"),
    [
        (r"\bvisitas?\b(?! sin cita)", "home|Physician"),  # a visit is a cita; a doctor who comes home makes a visita
        (r"\bsedes?\b", None),  # a site is a centro
        (
            r"\bcalendarios?\b",
            "calendar (file|address|feed|program|subscription|on)|(your( own)?|device.s) calendar|Apple|connected|Days",
        ),
    ],
)
def test_a_thing_has_one_name_in_spanish(other, about):
    elsewhere = [
        each.string
        for each in texts.read(texts.po_file("es"), "es")
        if re.search(other, str(each.string), re.IGNORECASE)
        and not (about and re.search(about, str(each.id), re.IGNORECASE))
    ]
    assert not elsewhere


# Words of Django's Administration that our pages say in the same place in another way.
OURS_INSTEAD = {
    "de": {"Messages", "Save", "Go", "View", "Show all", "History", "None", "Order", "Enter a whole number."},
    "es": {"Change password", "Remove", "Show all", "History", "Enter a whole number."},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("library", ["conf", "contrib/admin"])
def test_a_label_does_not_take_the_place_of_a_word_of_django(language, library):
    folder = Path(django.__file__).parent / library / "locale"
    of_django = gettext.translation("django", folder, [language])
    ours = {each.id: each.string for each in texts.read(texts.po_file(language), language) if not each.context}
    single = {text: string for text, string in ours.items() if text and isinstance(text, str)}
    known = {text: of_django.gettext(text) for text in single}
    assert not [
        (text, string, known[text])
        for text, string in single.items()
        if known[text] not in (text, string) and text not in OURS_INSTEAD[language]
    ]
