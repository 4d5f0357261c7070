"""Administration of messages, message templates, patients' message preferences and calendar feeds."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic import message_templates
from clinic.admin.base import ModelAdmin, ModelForm, ReadOnlyAdmin, ResourceAdmin
from clinic.admin.links import visit_link
from clinic.message_kinds import WITHOUT_TEMPLATE
from clinic.models import CalendarFeed, Communication, Event, MessagePreferences, MessageTemplate
from clinic.placeholders import PLACEHOLDERS


@admin.register(Communication)
class CommunicationAdmin(ReadOnlyAdmin, ResourceAdmin):
    """The administration of messages, which use cases write and workers send."""

    section = "Visits"
    place_in_section = 5
    list_display = ("due", "event", "medium", "recipient", "status", "sent", "visit")
    list_filter = ("status", "event", "medium")
    related = ("patient", "appointment__service", "appointment__site")
    search_fields = ("patient__family", "patient__given", "address", "appointment__fhir_id", "fhir_id")
    date_hierarchy = "due"
    fieldsets = (
        (None, {"fields": ("event", "medium", "recipient", "address", "visit")}),
        (
            _("Delivery"),
            {"fields": ("status", "status_reason", "due", "attempts", "sent", "received", "read", "provider_id")},
        ),
        (_("Words"), {"fields": ("language", "headline", "words")}),
    )

    @admin.display(description=_("to"), ordering="patient__family")
    def recipient(self, message: Communication) -> str:
        return str(message.patient or message.address)

    @admin.display(description=_("visit"), ordering="appointment__start")
    def visit(self, message: Communication) -> SafeString | None:
        return visit_link(message.appointment)

    @admin.display(description=_("subject"))
    def headline(self, message: Communication) -> str:
        return "" if message.event == Event.PROOF else message.subject

    @admin.display(description=_("message"))
    def words(self, message: Communication) -> str:
        return str(_("Not shown: it is proof of who reads it.")) if message.event == Event.PROOF else message.body


class MessageTemplateForm(ModelForm):
    """The form of a message template, which lists the placeholders."""

    event = forms.ChoiceField(
        label=_("event"), choices=lambda: [pair for pair in Event.choices if pair[0] not in WITHOUT_TEMPLATE]
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = format_html_join("", "<li><code>{{{{ {} }}}}</code> {}</li>", PLACEHOLDERS.items())
        self.fields["body"].help_text = format_html(
            "{}<ul>{}</ul>{}",
            _("These are filled in when the message is sent:"),
            names,
            _(
                "The times, the place and the links follow in every email, and the link in every text message, whether"
                " they are named or not."
            ),
        )


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ModelAdmin):
    """The administration of message templates: the clinic's own texts, instead of the product's."""

    section = "What can be booked"
    place_in_section = 4
    form = MessageTemplateForm
    list_display = ("__str__", "event", "medium", "language", "service", "subject")
    list_filter = ("event", "medium", "language", "service")
    list_select_related = ("service",)
    search_fields = ("subject", "body", "service__name")
    autocomplete_fields = ("service",)
    readonly_fields = ("products_words", "preview")
    fieldsets = (
        (None, {"fields": (("event", "medium", "language"), "service")}),
        (_("Words"), {"fields": ("subject", "body")}),
        (_("For a sample visit, as saved last"), {"fields": ("preview",)}),
        (_("Text without a template"), {"fields": ("products_words",), "classes": ("collapse",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: MessageTemplate | None = None) -> Any:
        """Return the sections of the page, without previews for a new template."""
        return super().get_fieldsets(request, obj)[: None if obj else 2]

    @admin.display(description=_("preview"))
    def preview(self, template: MessageTemplate) -> SafeString:
        """Return the text for a sample visit of the service, in the template's language."""
        text = message_templates.MessageText(template.subject, template.body)
        sample = message_templates.sample_values(template.language, template.service)
        return _html(message_templates.fill_in(text, sample))

    @admin.display(description=_("the product's text"))
    def products_words(self, template: MessageTemplate) -> SafeString:
        return _html(message_templates.default_text(template.event, template.medium, template.language))


def _html(text: message_templates.MessageText) -> SafeString:
    return format_html("<p><strong>{}</strong></p>{}", text.subject, mark_safe(linebreaks(text.body, autoescape=True)))


@admin.register(MessagePreferences)
class MessagePreferencesAdmin(ModelAdmin):
    section = "Patients"
    place_in_section = 6
    list_display = ("patient", "by_email", "by_sms", "reminders", "stopped_numbers")
    list_filter = ("by_email", "by_sms", "reminders")
    list_select_related = ("patient",)
    search_fields = ("patient__family", "patient__given", "patient__email")
    autocomplete_fields = ("patient",)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ModelAdmin):
    """The administration of calendar feeds, which their owners create. Here they can be revoked."""

    section = "Who signs in"
    place_in_section = 4
    list_display = ("whose", "created", "revoked")
    list_filter = (("revoked", admin.EmptyFieldListFilter), "created")
    list_select_related = ("patient", "practitioner")
    search_fields = (
        "patient__family",
        "patient__given",
        "practitioner__family",
        "practitioner__given",
    )
    date_hierarchy = "created"
    actions = ("revoke",)
    fields = readonly_fields = ("whose", "created", "revoked")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("whose"))
    def whose(self, feed: CalendarFeed) -> str:
        return str(feed.patient or feed.practitioner)

    @admin.action(description=_("Revoke: nobody can read them any more"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[CalendarFeed]) -> None:
        feeds = list(queryset.filter(revoked=None))
        queryset.filter(revoked=None).update(revoked=timezone.now())
        for feed in feeds:
            self.log_change(request, feed, gettext("Revoked."))
        done = ngettext("%(count)d revoked.", "%(count)d revoked.", len(feeds)) % {"count": len(feeds)}
        self.message_user(request, done, messages.SUCCESS)
