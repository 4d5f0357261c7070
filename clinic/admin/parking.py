"""Administration of the rows that background tasks have set aside."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.admin.base import ModelAdmin, ReadOnlyAdmin
from clinic.models import ParkedRow


@admin.register(ParkedRow)
class ParkedRowAdmin(ReadOnlyAdmin, ModelAdmin):
    """The administration of rows that are set aside. They are tried again automatically, or at once by an action."""

    section = "Software"
    place_in_section = 8
    list_display = ("tried", "task", "kind", "key", "error", "attempts", "since", "again")
    list_filter = ("task", "kind")
    search_fields = ("=key", "error")
    actions = ("try_now",)
    list_per_page = 50

    @admin.action(description=_("Try again now"), permissions=["view"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[ParkedRow]) -> None:
        count = queryset.update(again=timezone.now())
        done = ngettext("%(count)d will be tried again.", "%(count)d will be tried again.", count) % {"count": count}
        self.message_user(request, done, messages.SUCCESS)
