"""URL patterns of all pages. Ids in them are random, so that addresses reveal nothing about a patient."""

from django.urls import include, path

app_name = "portal"
urlpatterns = [
    path("", include("portal.finding.urls")),
    path("", include("portal.booking.urls")),
    path("", include("portal.appointments.urls")),
    path("", include("portal.questions.urls")),
    path("", include("portal.messages.urls")),
    path("family/", include("portal.family.urls")),
    path("calendars/", include("portal.feeds.urls")),
    path("", include("portal.oauth.urls")),
    path("", include("portal.account.urls")),
    path("staff/", include("portal.staff.urls")),
    path("", include("portal.common.urls")),
]
