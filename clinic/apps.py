from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ClinicConfig(AppConfig):
    default = True
    name = "clinic"


class AdminConfig(admin_apps.AdminConfig):
    """Django's administration, on a site of ours."""

    default = False
    default_site = "clinic.admin_site.Site"
