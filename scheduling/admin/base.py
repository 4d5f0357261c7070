"""Admin forms and pages that call use cases, each a transaction of its own that may be refused."""

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect

from clinic import time_text
from clinic.admin.base import ModelForm, ResourceAdmin
from clinic.local_time import in_zone
from clinic.models import Appointment, User
from scheduling.access import Caller
from scheduling.errors import IllegalTransition, SchedulingError


class RefusableForm(ModelForm):
    """A form that shows the refusal of a use case like a validation error."""

    refusal: SchedulingError | None = None

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.refusal is not None:
            self.add_error(None, refusal_texts(self.refusal))


def refusal_texts(refusal: SchedulingError) -> list[str]:
    """Return the reasons of a refusal for people: statuses by their labels, not by FHIR's codes."""
    if isinstance(refusal, IllegalTransition):
        status = Appointment.Status(refusal.current).label
        return [gettext("This step is not possible for a visit with the status: %(status)s.") % {"status": status}]
    return [issue.text for issue in refusal.issues]


class UseCaseAdmin(ResourceAdmin):
    """Admin pages that show refusals of `save_model` and `delete_model`."""

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's view without its transaction: each use case opens its own."""
        view = super()._changeform_view  # type: ignore[misc]
        try:
            return cast(HttpResponse, view(request, object_id, form_url, extra_context))
        except SchedulingError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
        return cast(HttpResponse, view(request, object_id, form_url, extra_context))

    @method_decorator(csrf_protect)
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return cast(HttpResponse, super()._delete_view(request, object_id, extra_context))  # type: ignore[misc]
        except SchedulingError as refusal:
            self.message_user(request, " ".join(refusal_texts(refusal)), messages.ERROR)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **options)
        form.refusal = getattr(request, "refusal", None)
        return form

    def get_actions(self, request: HttpRequest) -> Any:
        """The actions without deletion of several rows at once."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class WallClockWidget(forms.SplitDateTimeWidget):
    """The browser's own date and time pickers. Django's offer "now" by the server's clock, which is the wrong one
    here.
    """

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            attrs,
            date_format="%Y-%m-%d",
            time_format="%H:%M",
            date_attrs={"type": "date", "aria-label": gettext("Date")},
            time_attrs={"type": "time", "aria-label": gettext("Time")},
        )


class WallClockField(forms.SplitDateTimeField):
    """A local date and time without a zone."""

    widget = WallClockWidget

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list:
            return None
        if None in data_list or "" in data_list:
            raise ValidationError(_("Give both a date and a time."))
        return datetime.combine(*data_list)


def at(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which clocks in the zone show this local time."""
    return in_zone(wall.replace(tzinfo=zone), UTC)


def wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return in_zone(moment, zone).replace(tzinfo=None)


def span_text(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """The time in words, such as "Mon, Jan 5, 2026, 9:00 – 9:30 AM (New York time)"."""
    return time_text.when(in_zone(start, zone), in_zone(end, zone), zone, year=True)


def caller_of(request: HttpRequest) -> Caller:
    return Caller(user=cast(User, request.user))
