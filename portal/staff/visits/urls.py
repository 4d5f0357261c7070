"""URL patterns of one visit, below /staff/appointments/."""

from django.urls import path

from portal.staff.visits.views import recalls, rooms, several, visit

urlpatterns = [
    path("", visit.visit, name="staff-visit"),
    path("answer/", visit.answer, name="staff-answer"),
    path("attendance/", visit.attendance, name="staff-attendance"),
    path("several/cancel/", several.cancel_several, name="staff-cancel-several"),
    path("several/move/", several.move_several, name="staff-move-several"),
    path("cancel/", visit.cancel, name="staff-cancel"),
    path("payment/", visit.payment, name="staff-payment"),
    path("coverage/<str:coverage_id>/", visit.check_coverage, name="staff-coverage"),
    path("identity/", visit.verify_identity, name="staff-identity"),
    path("recall/", recalls.recall, name="staff-recall"),
    path("room/", rooms.rooms, name="staff-room"),
    path("restore/", visit.restore, name="staff-restore"),
]
