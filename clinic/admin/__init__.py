"""The nouns in Django's administration. Slots and Appointments are in scheduling.admin: theirs are verbs."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin

from clinic.admin import audit, care, communication, forms, people, places, schedule, subscription

__all__ = ["audit", "care", "communication", "forms", "people", "places", "schedule", "subscription"]

admin.site.site_header = admin.site.site_title = settings.CLINIC_NAME
admin.site.index_title = "Administration"
# As everybody signs in, with the same limits on guessing.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
