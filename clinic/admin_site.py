"""Django's administration site, with the sign-in of all other pages and a signal for the rows that it shows."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator

from clinic import time_text
from clinic.country import clinic_zone
from clinic.local_time import EdgeZone

# Sent before a page is returned, with its `request`, the `rows` that it shows, and `is_list`. If a receiver raises an
# exception, the page is not shown.
rows_shown = Signal()

SECTIONS = {
    "Visits": ("Appointment", "Slot", "Encounter", "QuestionnaireResponse", "Communication"),
    "Patients": ("Patient", "RelatedPerson", "Coverage", "CareTeam", "MessagePreferences"),
    "What can be booked": ("HealthcareService", "Schedule", "Questionnaire", "MessageTemplate"),
    "The clinic": ("Organization", "Location", "Practitioner", "PractitionerRole", "Device"),
    "Who signs in": ("User", "Group", "EmailAddress", "CalendarFeed"),
    "Software": (
        *("Application", "AccessToken", "RefreshToken", "Grant", "IDToken"),
        *("Subscription", "Notification", "ParkedRow"),
    ),
    "What was done": ("AuditEvent",),
}
ViewT = TypeVar("ViewT", bound=Callable[..., HttpResponseBase])


class ClinicAdminSite(AdminSite):
    site_header = site_title = settings.CLINIC_NAME
    index_title = "Administration"
    enable_nav_sidebar = False  # lists need the width

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models, grouped on the first page by SECTIONS instead of by Django app."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = {model["object_name"]: model for app in apps for model in app["models"]}
        sections = [(name, [models.pop(key) for key in names if key in models]) for name, names in SECTIONS.items()]
        sections.append(("Others", list(models.values())))
        index = reverse("admin:index", current_app=self.name)
        return [
            {"name": name, "app_label": "", "app_url": index, "has_module_perms": True, "models": found}
            for name, found in sections
            if found
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "clock": _clock()}

    @method_decorator(secure_admin_login)  # with the same limits on guessing
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, extra_context)

    def admin_view(self, view: ViewT, cacheable: bool = False) -> ViewT:
        return super().admin_view(_in_clinic_zone(_sending_rows(view)), cacheable)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, AutocompleteView.as_view(admin_site=self)(request))


class AutocompleteView(AutocompleteJsonView):
    """The view that lists the choices of an autocomplete field."""

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        context = super().get_context_data(**options)
        rows_shown.send(AutocompleteView, request=self.request, rows=list(context["object_list"]), is_list=True)
        return context


def _clock() -> str:
    return time_text.zone_name(clinic_zone())


def _in_clinic_zone(view: ViewT) -> ViewT:
    """Return the view, with the clinic's zone for all times that it reads and shows."""

    @wraps(view)
    def view_in_zone(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        with timezone.override(EdgeZone(clinic_zone().key)):
            response = view(request, *args, **options)
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return cast(ViewT, view_in_zone)


def _sending_rows(view: ViewT) -> ViewT:
    """Return the view, which sends `rows_shown` with the rows of its template context. It causes no further query."""

    @wraps(view)
    def view_sending_rows(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        response = view(request, *args, **options)
        if isinstance(response, SimpleTemplateResponse):
            context = response.context_data or {}
            one = context.get("original") or context.get("object")
            many = context["cl"].result_list if "cl" in context else context.get("queryset", ())
            rows_shown.send(ClinicAdminSite, request=request, rows=[one] if one else list(many), is_list=one is None)
        return response

    return cast(ViewT, view_sending_rows)
