"""The clinic's own texts on pages: in the reader's language, and marked where they are in another."""

from django import template
from django.utils.html import conditional_escape, format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe

from clinic import addresses, translations
from clinic.models import Resource
from clinic.translations import TranslatedText

register = template.Library()

register.filter("text", translations.text_of)
register.filter("address_lines", addresses.lines)


@register.filter
def in_its_language(said: str) -> SafeString | str:
    """A text with its language around it, where that is not the page's."""
    if isinstance(said, TranslatedText) and said.is_foreign:
        return format_html('<span lang="{}">{}</span>', said.language, said)
    return said


@register.filter
def say(row: Resource | None, column: str) -> SafeString | str:
    """A text of a row, marked where it is in another language."""
    return in_its_language(translations.text_of(row, column))


@register.filter
def paragraphs(said: str) -> SafeString:
    """A text of several lines as paragraphs, marked where it is in another language."""
    block = mark_safe(linebreaks(conditional_escape(said)))
    if isinstance(said, TranslatedText) and said.is_foreign:
        return format_html('<div lang="{}">{}</div>', said.language, block)
    return block
