"""URL patterns of the notices to staff, below /staff/notices/."""

from django.urls import path

from portal.staff.notices import views

urlpatterns = [
    path("", views.index, name="staff-notices"),
    path("latest/", views.latest, name="staff-notices-latest"),
    path("seen/", views.seen, name="staff-notices-seen"),
    path("settings/", views.settings, name="staff-notices-settings"),
]
