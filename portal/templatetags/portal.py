"""Template tags for icons, header links, phone numbers and form fields."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy

from clinic import branding, money, patient_text, phones
from clinic.models import HealthcareService, Location
from clinic.service_types import names_of
from clinic.templatetags.texts import in_its_language
from clinic.visit_place import site_and_town
from portal.common import navigation
from portal.common.people import languages_spoken
from scheduling.access import Caller
from scheduling.facts import VisitFacts
from scheduling.notifications import links

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Render an icon. It is hidden from screen readers, so a word must stand beside it."""
    return _drawing(name, static("img/icons.svg"))


@lru_cache(maxsize=256)
def _drawing(name: str, address: str) -> SafeString:
    return format_html(
        '<svg class="icon" width="20" height="20" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        address,
        name,
    )


@register.simple_tag
def check_in_code(visit: VisitFacts) -> SafeString:
    """Render the QR code of the page on which the patient of a visit checks in."""
    return _qr_code(links.check_in_link(visit.appointment))


@register.simple_tag
def site_code(site: Location) -> SafeString:
    """Render the QR code of the page on which everybody who comes to a site finds their visit."""
    return _qr_code(links.arrival_link(site))


def _qr_code(address: str) -> SafeString:
    from portal.common import qr_codes  # no other page needs its library

    return qr_codes.drawing(address, gettext("QR code to check in"))


@register.simple_tag
def header_links(caller: Caller) -> list[navigation.HeaderLink]:
    """Return the links of the header."""
    return navigation.header_links(caller)


@register.filter
def tel(phone: str) -> str:
    """Return the address that dials a number: tel:+12125550100."""
    return phones.link(phone)


@register.filter
def phone(number: str) -> str:
    """Return a telephone number as it is written in the clinic's country: (212) 555-0100."""
    return phones.display(number)


@register.filter
def service_types(service: HealthcareService | None) -> list[str]:
    """Return the types of a service by name, in the reader's language."""
    return names_of(service.type) if service else []


@register.filter
def phone_link(phone: str) -> SafeString:
    """Render a number as a link that dials it; empty without a number."""
    return format_html('<a href="{}">{}</a>', tel(phone), phones.display(phone)) if phone else SafeString()


@register.filter
def with_emergency_link(notice: str) -> SafeString:
    """Render the emergency notice with its number as a link."""
    before, number, after = notice.partition(branding.emergency_phone())
    if not number:
        return format_html("{}", notice)
    digits = "".join(filter(str.isdigit, number))  # an emergency number is dialled without a country code
    return format_html('{}<a href="tel:{}">{}</a>{}', before, digits, number, after)


CALLS = (gettext_lazy("call the clinic"), gettext_lazy("call us"))  # parts of sentences, in each language


@register.filter
def with_phone_link(text: object, phone: str = "") -> str:
    """Render a sentence with the number to call as a link: in its place, or after a sentence that says to call."""
    number = phones.display(phone or settings.CLINIC_PHONE)
    if isinstance(text, SafeString):
        return text
    sentence = in_its_language(text if isinstance(text, str) else str(text))
    if not number:
        return sentence
    before, match, after = conditional_escape(sentence).partition(conditional_escape(number))
    if match:
        return mark_safe(f"{before}{phone_link(number)}{after}")
    if any(str(call).casefold() in str(text).casefold() for call in CALLS):
        return format_html("{} {}", sentence, phone_link(number))
    return sentence


register.filter("money", money.text)
register.filter("site_and_town", site_and_town)
register.filter("record_note", patient_text.record_note)
register.filter("with_note", patient_text.with_note)
register.filter("needs", patient_text.needs_of)


@register.filter
def first_control(bound: BoundField) -> str:
    """Return the id that the link of an error leads to: the control's, or that of the first of its group."""
    return bound.id_for_label or f"{bound.auto_id}_0"


@register.inclusion_tag("forms/_field.html")
def field(bound: BoundField) -> dict[str, object]:
    """Render a field with its label, hint and errors."""
    kind = getattr(bound.field.widget, "input_type", bound.widget_type)
    return {"field": bound, "kind": kind, "is_group": bound.field.widget.use_fieldset}


register.filter("languages_spoken", languages_spoken)
