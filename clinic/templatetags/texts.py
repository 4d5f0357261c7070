"""Template tags for the clinic's own texts: in the reader's language, or marked with another `lang`."""

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe

from clinic import addresses, translations
from clinic.models import Resource
from clinic.translations import Sentence, TranslatedText

register = template.Library()

register.filter("text", translations.text_of)
register.filter("address_lines", addresses.lines)


@register.filter
def in_its_language(text: str) -> SafeString | str:
    """Render a text, inside an element with its `lang` if that is not the page's; of a sentence, the texts in it."""
    if isinstance(text, TranslatedText) and text.is_foreign:
        lines = ((text.language, line) for line in text.split("\n"))
        return format_html_join("\n", '<span lang="{}">{}</span>', lines)  # an element within each paragraph
    if isinstance(text, Sentence):
        marked = {
            name: conditional_escape(in_its_language(part)) if isinstance(part, str) else part
            for name, part in text.parts.items()
        }
        return mark_safe(conditional_escape(text.template) % marked)
    return text


@register.filter
def lang(text: str) -> SafeString | str:
    """Render the lang attribute of a text in another language, where no element can be around it."""
    return format_html(' lang="{}"', text.language) if isinstance(text, TranslatedText) and text.is_foreign else ""


@register.filter
def say(row: Resource | None, column: str) -> SafeString | str:
    """Render a text of a row, marked with its `lang` if it is not in the page's language."""
    return in_its_language(translations.text_of(row, column))


@register.filter
def named(actor: Resource) -> SafeString | str:
    """Render the name of a person, room, device or service, marked if it is not in the page's language."""
    return in_its_language(translations.actor_name(actor))


@register.filter
def paragraphs(text: str) -> SafeString:
    """Render a text of several lines as paragraphs, marked with their `lang` if it is not the page's."""
    block = mark_safe(linebreaks(conditional_escape(text)))
    if isinstance(text, TranslatedText) and text.is_foreign:
        return format_html('<div lang="{}">{}</div>', text.language, block)
    return block
