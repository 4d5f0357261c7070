"""URL patterns of /staff/, the pages for staff."""

from django.urls import include, path

from portal.staff.hours.views.checklist import checklist

urlpatterns = [
    path("", include("portal.staff.calendar.urls")),
    path("", include("portal.staff.board.urls")),
    path("", include("portal.staff.worklist.urls")),
    path("appointments/<str:appointment_id>/", include("portal.staff.visits.urls")),
    path("hours/", include("portal.staff.hours.urls")),
    path("checklist/", checklist, name="checklist"),
]
