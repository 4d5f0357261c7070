"""URL patterns of the board, below /staff/."""

from django.urls import path

from portal.staff.board import views

urlpatterns = [
    path("today/", views.today, name="board"),
    path("appointments/<str:appointment_id>/step/", views.step, name="staff-step"),
]
