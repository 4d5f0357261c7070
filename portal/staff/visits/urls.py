"""URL patterns of one visit, below /staff/appointments/."""

from django.urls import path

from portal.staff.visits import views

urlpatterns = [
    path("", views.visit, name="staff-visit"),
    path("answer/", views.answer, name="staff-answer"),
    path("attendance/", views.attendance, name="staff-attendance"),
    path("cancel/", views.cancel, name="staff-cancel"),
    path("restore/", views.restore, name="staff-restore"),
]
