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
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from clinic import time_text
from clinic.country import clinic_zone
from clinic.local_time import EdgeZone

# Sent before a page is returned, with its `request`, the `rows` that it shows, and `is_list`. If a receiver raises an
# exception, the page is not shown.
rows_shown = Signal()

# The sections of the first page. The administration of a model names its own as `section`, and perhaps its
# `place_in_section`, from 1; the others follow by name.
SECTIONS = (
    gettext_noop("Visits"),
    gettext_noop("Patients"),
    gettext_noop("What can be booked"),
    gettext_noop("The clinic"),
    gettext_noop("Who signs in"),
    gettext_noop("Software"),
    gettext_noop("What was done"),
    gettext_noop("Others"),
)
# The section and place of the models of libraries, by label.
OF_LIBRARIES = {
    "auth.Group": ("Who signs in", 2),
    "account.EmailAddress": ("Who signs in", 3),
    "oauth2_provider.AccessToken": ("Software", 2),
    "oauth2_provider.RefreshToken": ("Software", 3),
    "oauth2_provider.Grant": ("Software", 4),
    "oauth2_provider.IDToken": ("Software", 5),
}
LAST = 100
ViewT = TypeVar("ViewT", bound=Callable[..., HttpResponseBase])


class ClinicAdminSite(AdminSite):
    site_header = site_title = settings.CLINIC_NAME
    index_title = gettext_lazy("Administration")
    enable_nav_sidebar = False  # lists need the width

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models, grouped on the first page by SECTIONS instead of by Django app.

        The list of all models is made when a template reads it. Django adds it to every page, where only the first page
        and the bar at the side show it: it would take a third of the time of the others.
        """
        if app_label is not None:
            return super().get_app_list(request, app_label)
        return cast(list[Any], SimpleLazyObject(lambda: self._sections(request)))

    def _sections(self, request: HttpRequest) -> list[dict[str, Any]]:
        apps = super().get_app_list(request)
        sections: dict[str, list[Any]] = {name: [] for name in SECTIONS}
        for model in sorted((model for app in apps for model in app["models"]), key=self._place):
            sections[self._section(model)[0]].append(model)
        index = reverse("admin:index", current_app=self.name)
        return [
            {"name": gettext(name), "app_label": "", "app_url": index, "has_module_perms": True, "models": found}
            for name, found in sections.items()
            if found
        ]

    def get_urls(self) -> list[Any]:
        return [path("status/", self.admin_view(self._status), name="status"), *super().get_urls()]

    def _status(self, request: HttpRequest) -> HttpResponse:
        from clinic.admin.status import status  # its models are loaded only now

        return status(request, self)

    def _section(self, model: dict[str, Any]) -> tuple[str, int]:
        """Return the section of a model of the app list, and its place there."""
        administration = self._registry[model["model"]]
        own = getattr(administration, "section", "Others"), getattr(administration, "place_in_section", LAST)
        return OF_LIBRARIES.get(model["model"]._meta.label, own)

    def _place(self, model: dict[str, Any]) -> tuple[int, str]:
        return self._section(model)[1], model["name"]

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
