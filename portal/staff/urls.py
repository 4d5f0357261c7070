"""URL patterns of /staff/, the pages for staff."""

from django.urls import include, path

from portal.staff.hours.views.checklist import checklist
from portal.staff.visits.views.recalls import end_recall

urlpatterns = [
    path("", include("portal.staff.calendar.urls")),
    path("", include("portal.staff.board.urls")),
    path("", include("portal.staff.worklist.urls")),
    path("absences/", include("portal.staff.absences.urls")),
    path("messages/", include("portal.staff.messages.urls")),
    path("notices/", include("portal.staff.notices.urls")),
    path("payments/", include("portal.staff.payments.urls")),
    path("patients/", include("portal.staff.patients.urls")),
    path("late/", include("portal.staff.delays.urls")),
    path("referrals/", include("portal.staff.referrals.urls")),
    path("reports/", include("portal.staff.reports.urls")),
    path("", include("portal.staff.waitlist.urls")),
    path("appointments/<str:appointment_id>/", include("portal.staff.visits.urls")),
    path("recalls/<str:recall_id>/end/", end_recall, name="recall-end"),
    path("hours/", include("portal.staff.hours.urls")),
    path("setup/closures/", include("portal.staff.closures.urls")),
    path("setup/export/", include("portal.staff.exports.urls")),
    path("setup/import/", include("portal.staff.imports.urls")),
    path("setup/", include("portal.staff.setup.urls")),
    path("checklist/", checklist, name="checklist"),
]
