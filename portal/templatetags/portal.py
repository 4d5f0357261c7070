"""Small parts of pages: icons, form fields, what the demo says about itself."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from clinic import branding, patient_text, phones
from clinic.models import User
from clinic.visit_place import site_and_town
from portal.common import navigation
from scheduling.access import Caller

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing beside a word, never instead of one."""
    return _drawing(name, static("img/icons.svg"))


@lru_cache(maxsize=256)
def _drawing(name: str, address: str) -> SafeString:
    return format_html(
        '<svg class="icon" width="20" height="20" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        address,
        name,
    )


@register.simple_tag
def header_links(caller: Caller) -> list[navigation.HeaderLink]:
    """The links of the header."""
    return navigation.header_links(caller)


@register.filter
def tel(phone: str) -> str:
    """The address that dials a number: tel:+12125550100"""
    return phones.link(phone)


@register.filter
def phone(number: str) -> str:
    """A telephone number as people of the clinic's country write it: (212) 555-0100"""
    return phones.shown(number)


@register.filter
def phone_link(phone: str) -> SafeString:
    """A number that one can tap to dial; nothing where there is none."""
    return format_html('<a href="{}">{}</a>', tel(phone), phones.shown(phone)) if phone else SafeString()


@register.filter
def with_emergency_link(notice: str) -> SafeString:
    """The emergency notice, with its number to tap."""
    before, number, after = notice.partition(branding.emergency_phone())
    if not number:
        return format_html("{}", notice)
    digits = "".join(filter(str.isdigit, number))  # as it is: to this number no country is put before
    return format_html('{}<a href="tel:{}">{}</a>{}', before, digits, number, after)


CALLS = (gettext_lazy("call the clinic"), gettext_lazy("call us"))  # as our own sentences say it, in any language


@register.filter
def with_phone_link(text: object, phone: str = "") -> str:
    """A sentence with the number to call as a link: where it stands, or behind a sentence that says to call."""
    said, number = str(text), phones.shown(phone or settings.CLINIC_PHONE)
    if not number or isinstance(text, SafeString):
        return said
    before, shown, after = said.partition(number)
    if shown:
        return format_html("{}{}{}", before, phone_link(number), after)
    if any(str(call).casefold() in said.casefold() for call in CALLS):
        return format_html("{} {}", said, phone_link(number))
    return said


register.filter("site_and_town", site_and_town)
register.filter("record_note", patient_text.record_note)
register.filter("with_note", patient_text.with_note)


@register.filter
def first_control(bound: BoundField) -> str:
    """The id that an error's link leads to: the control's, or that of the first of its group."""
    return bound.id_for_label or f"{bound.auto_id}_0"


@register.inclusion_tag("forms/_field.html")
def field(bound: BoundField) -> dict[str, object]:
    """Label above, hint below it, errors beside the field."""
    kind = getattr(bound.field.widget, "input_type", bound.widget_type)
    return {"field": bound, "kind": kind, "is_group": bound.field.widget.use_fieldset}


@register.simple_tag
def demo_sign_ins() -> list[str]:
    """The demo's accounts, where they exist and can sign in."""
    if not settings.DEMO:
        return []
    return list(User.objects.filter(is_demo=True).order_by("pk").values_list("email", flat=True))
