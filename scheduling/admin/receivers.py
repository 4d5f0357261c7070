"""Administration of webhooks, of plug-ins that receive events of visits, and of the log of deliveries."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic import http_client
from clinic.admin.base import ModelAdmin, ModelForm, ReadOnlyAdmin
from clinic.admin.links import visit_link
from clinic.admin.subscription import DELIVERY_FIELDS
from clinic.models import EventDelivery, EventReceiver, VisitEvent
from scheduling import receivers


class WebhookForm(ModelForm):
    """The address and the events of a webhook. Of a plug-in, only whether it is active."""

    kinds = forms.MultipleChoiceField(
        label=_("Events"), choices=VisitEvent.Kind.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = EventReceiver
        fields = ("name", "url", "kinds", "active")

    def clean_url(self) -> str:
        address = str(self.cleaned_data["url"])
        try:
            http_client.check_url(address)
        except http_client.NotAllowed as refusal:
            raise ValidationError(str(refusal)) from refusal
        return address


@admin.register(EventReceiver)
class EventReceiverAdmin(ModelAdmin):
    """The administration of receivers. A webhook's secret is shown once; plug-ins come into the list by themselves."""

    section = "Software"
    place_in_section = 10
    form = WebhookForm
    change_form_template = "admin/webhook_change_form.html"
    list_display = ("name", "kind", "url", "active", "failures", "last_success", "error")
    list_filter = ("active",)
    search_fields = ("name", "url")
    readonly_fields = ("error", "failures", "last_success")
    fieldsets = (
        (None, {"fields": ("name", "url", "kinds", "active")}),
        (_("Deliveries"), {"fields": ("error", "failures", "last_success")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: EventReceiver | None = None) -> Any:
        of_plugin = ("name", "url", "kinds") if obj is not None and obj.plugin else ()
        return (*of_plugin, *self.readonly_fields)

    @admin.display(description=_("kind"), ordering="plugin")
    def kind(self, receiver: EventReceiver) -> str:
        return gettext("plug-in") if receiver.plugin else gettext("webhook")

    def save_model(self, request: HttpRequest, obj: EventReceiver, form: Any, change: bool) -> None:
        """Save what the form has changed, beside workers who write other columns. A new webhook gets a secret."""
        if not change:
            secret = receivers.renew_secret(obj, now=timezone.now())
            super().save_model(request, obj, form, change)
            self._show(request, obj, secret)
        elif changed := [name for name in form.changed_data if name in form.Meta.fields]:
            if "active" in changed:
                obj.error, obj.failures, obj.due = "", 0, timezone.now()
                changed += ["error", "failures", "due"]
            obj.save(update_fields=changed)
        receivers.follow_feed()

    def delete_model(self, request: HttpRequest, obj: EventReceiver) -> None:
        super().delete_model(request, obj)
        receivers.follow_feed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[EventReceiver]) -> None:
        super().delete_queryset(request, queryset)
        receivers.follow_feed()

    def response_change(self, request: HttpRequest, obj: EventReceiver) -> HttpResponse:
        if "_new_secret" in request.POST:
            self._renew(request, obj)
            return redirect(request.path)
        if "_test" in request.POST:
            receivers.send_test(obj, now=timezone.now())
            messages.success(request, gettext("A test event is sent now: the log shows the answer."))
            return redirect(request.path)
        return super().response_change(request, obj)

    @transaction.atomic
    def _renew(self, request: HttpRequest, obj: EventReceiver) -> None:
        webhook = EventReceiver.objects.select_for_update(no_key=True).get(pk=obj.pk)
        secret = receivers.renew_secret(webhook, now=timezone.now())
        webhook.save(update_fields=["secret", "former_secret", "former_secret_ends"])
        self.log_change(request, webhook, gettext("A new secret was made."))
        self._show(request, webhook, secret)

    def _show(self, request: HttpRequest, webhook: EventReceiver, secret: str) -> None:
        text = gettext("The secret of {} is {}. Copy it now: it is not shown again.")
        messages.warning(request, format_html(text, webhook.name, format_html("<code>{}</code>", secret)))


@admin.register(EventDelivery)
class EventDeliveryAdmin(ReadOnlyAdmin, ModelAdmin):
    """The log: the event, its receiver, and the answer."""

    section = "Software"
    place_in_section = 11
    list_display = ("created", "type", "receiver", "status", "attempts", "status_code", "error", "visit")
    list_filter = ("status", "receiver", "event__kind")
    list_select_related = ("receiver", "event__appointment__service", "event__appointment__site")
    search_fields = ("message_id", "event__appointment__fhir_id", "error")
    date_hierarchy = "created"
    actions = ("send_again",)
    fields = (
        "receiver",
        "type",
        "visit",
        "message_id",
        "content",
        *DELIVERY_FIELDS,
    )
    list_per_page = 50

    @admin.display(description=_("visit"), ordering="event__appointment__start")
    def visit(self, delivery: EventDelivery) -> SafeString | None:
        return visit_link(delivery.event.appointment if delivery.event else None)

    @admin.display(description=_("event"), ordering="event__kind")
    def type(self, delivery: EventDelivery) -> str:
        return delivery.type

    @admin.action(description=_("Send again"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[EventDelivery]) -> None:
        count = receivers.send_again(queryset, now=timezone.now())
        done = ngettext("%(count)d is sent again.", "%(count)d are sent again.", count) % {"count": count}
        self.message_user(request, done, messages.SUCCESS)
