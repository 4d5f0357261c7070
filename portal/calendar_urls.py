"""The addresses of the staff's calendar, below /staff/."""

from django.urls import path

from portal.views import arranging, blocking, calendar

urlpatterns = [
    path("", calendar.day, name="day"),
    path("week/", calendar.week, name="week"),
    path("month/", calendar.month, name="month"),
    path("agenda/", calendar.agenda, name="agenda"),
    path("calendar/choose/", calendar.choose, name="calendar-choose"),
    path("calendar/events/", calendar.events, name="calendar-events"),
    path("calendar/changes/", calendar.changes, name="calendar-changes"),
    path("visits/new/", arranging.new_visit, name="staff-new-visit"),
    path("visits/patients/", arranging.patients, name="staff-find-patients"),
    path("visits/<str:appointment_id>/", arranging.peek, name="staff-peek"),
    path("visits/<str:appointment_id>/move/", arranging.move, name="staff-move"),
    path("blocks/new/", blocking.new_block, name="staff-new-block"),
    path("blocks/<str:slot_id>/", blocking.block, name="staff-block"),
]
