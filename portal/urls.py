"""URL patterns of all pages. Ids in them are random, so that addresses reveal nothing about a patient."""

from django.urls import include, path

from portal.family.views import invitation
from portal.staff.people.views import invitation as staff_invitation

app_name = "portal"
urlpatterns = [
    path("", include("portal.finding.urls")),
    path("", include("portal.booking.urls")),
    path("", include("portal.appointments.urls")),
    path("", include("portal.arrivals.urls")),
    path("", include("portal.waitlist.urls")),
    path("", include("portal.questions.urls")),
    path("", include("portal.messages.urls")),
    path("", include("portal.referrals.urls")),
    path("my-details/", include("portal.details.urls")),
    path("family/", include("portal.family.urls")),
    path("carers/<str:token>/", invitation, name="carer-invitation"),
    path("joining/<str:token>/", staff_invitation, name="staff-invitation"),
    path("calendars/", include("portal.feeds.urls")),
    path("", include("portal.oauth.urls")),
    path("", include("portal.account.urls")),
    path("", include("portal.embedding.urls")),
    path("staff/", include("portal.staff.urls")),
    path("", include("portal.common.urls")),
]
