"""URL patterns of the staff's calendar, below /staff/."""

from django.urls import path

from portal.staff.calendar.views import blocks, explanations, grid, new_visits, sheets, visits, walk_ins

urlpatterns = [
    path("", grid.day, name="day"),
    path("week/", grid.week, name="week"),
    path("month/", grid.month, name="month"),
    path("agenda/", grid.agenda, name="agenda"),
    path("calendar/choose/", grid.choose, name="calendar-choose"),
    path("calendar/events/", grid.events, name="calendar-events"),
    path("calendar/changes/", grid.changes, name="calendar-changes"),
    path("visits/new/", new_visits.new_visit, name="staff-new-visit"),
    path("visits/patients/", new_visits.patients, name="staff-find-patients"),
    path("visits/walk-in/", walk_ins.walk_in, name="staff-walk-in"),
    path("visits/<str:appointment_id>/undo-walk-in/", walk_ins.undo, name="staff-undo-walk-in"),
    path("visits/<str:appointment_id>/", visits.peek, name="staff-peek"),
    path("visits/<str:appointment_id>/move/", visits.move, name="staff-move"),
    path("visits/<str:appointment_id>/suggest/", visits.suggest, name="staff-suggest"),
    path("groups/<str:service_id>/", visits.group, name="staff-group"),
    path("why/", explanations.why, name="staff-why"),
    path("sheets/", sheets.sheets, name="sheets"),
    path("blocks/new/", blocks.new_block, name="staff-new-block"),
    path("blocks/<str:slot_id>/", blocks.block, name="staff-block"),
]
