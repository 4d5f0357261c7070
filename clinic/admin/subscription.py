"""Administration of subscriptions and of the notifications sent to subscribers."""

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic import time_text
from clinic.admin.base import ModelAdmin, ReadOnlyAdmin, ResourceAdmin
from clinic.models import Notification, Subscription

# The fields of one delivery in the logs of what other software was sent.
DELIVERY_FIELDS = ("status", "created", "due", "attempts", "tried", "duration_ms", "status_code", "error")


@admin.register(Subscription)
class SubscriptionAdmin(ResourceAdmin):
    """The administration of subscriptions, which clients create through the API. Here they can be turned off."""

    section = "Software"
    place_in_section = 6
    list_display = ("criteria", "endpoint", "whose", "status", "error", "last_contact")
    list_filter = ("status",)
    related = ("user",)
    search_fields = ("criteria", "endpoint", "client", "user__email", "fhir_id")
    actions = ("turn_off",)
    fieldsets = (
        (None, {"fields": ("status", "error", "reason", "criteria", "end", "whose")}),
        (_("Channel"), {"fields": ("channel_type", "endpoint", "payload", "headers")}),
        (_("Deliveries"), {"fields": ("failures", "last_contact")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        return False

    @admin.display(description=_("whose"), ordering="client")
    def whose(self, subscription: Subscription) -> str:
        client, user = subscription.client, subscription.user
        if client and user:
            return gettext("%(software)s for %(user)s") % {"software": client, "user": user}
        return str(user or client)

    @admin.display(description=_("headers"))
    def headers(self, subscription: Subscription) -> str:
        hidden = gettext("(not shown)")
        return ", ".join(f"{name}: {hidden}" for name, _value in subscription.encrypted_headers)

    @admin.action(description=_("Turn off: nothing more is sent"), permissions=["delete"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        active = list(queryset.exclude(status=Subscription.Status.OFF))
        queryset.filter(pk__in=[subscription.pk for subscription in active]).update(
            status=Subscription.Status.OFF, version=F("version") + 1, last_updated=timezone.now()
        )
        for subscription in active:
            self.log_change(request, subscription, gettext("Turned off."))
        done = ngettext("%(count)d turned off.", "%(count)d turned off.", len(active)) % {"count": len(active)}
        self.message_user(request, done, messages.SUCCESS)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin, ModelAdmin):
    """The log of notifications: the subscriber, the time, and the endpoint's response."""

    section = "Software"
    place_in_section = 7
    list_display = ("created", "what", "endpoint", "status", "attempts", "tried", "status_code", "duration_ms", "error")
    list_filter = ("status", "status_code", "created")
    list_select_related = (
        "subscription",
        "event__appointment__service",
        "event__appointment__site",
        "schedule__practitioner_role__practitioner",
        "schedule__bookable__practitioner",
        "schedule__bookable__location",
        "schedule__bookable__device",
        "schedule__bookable__healthcare_service",
    )
    search_fields = ("subscription__endpoint", "subscription__client", "schedule__fhir_id", "error")
    date_hierarchy = "created"
    fields = (
        "subscription",
        "what",
        "first_day",
        "last_day",
        *DELIVERY_FIELDS,
    )
    list_per_page = 50

    @admin.display(description=_("what"), ordering="schedule")
    def what(self, notification: Notification) -> str:
        if notification.event is not None:
            return f"{notification.event.get_kind_display()}: {notification.event.appointment}"
        if notification.schedule is None:
            return gettext("Heartbeat")
        first, last = notification.first_day, notification.last_day
        days = time_text.days(first, last) if first and last else first or ""
        return f"{notification.schedule}, {days}"

    @admin.display(description=_("to"), ordering="subscription__endpoint")
    def endpoint(self, notification: Notification) -> str:
        return notification.subscription.endpoint
