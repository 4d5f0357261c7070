from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy

from clinic.country import watch_sites
from clinic.labels import translate_labels


class ClinicConfig(AppConfig):
    default = True
    name = "clinic"
    verbose_name = gettext_lazy("Clinic")

    def ready(self) -> None:
        watch_sites()
        translate_labels()
        from clinic.place_names import watch_places  # its models are loaded only now

        watch_places()
        # Not imported where they are off.
        if settings.SENTRY_DSN:
            from clinic import error_reports

            error_reports.start()
        if settings.TRACES_URL:
            from clinic import tracing

            tracing.start()


class AdminConfig(admin_apps.AdminConfig):
    """Django's administration app, with ClinicAdminSite as its site."""

    default = False
    default_site = "clinic.admin_site.ClinicAdminSite"
