"""URL patterns of the board, below /staff/."""

from django.urls import path

from portal.staff.board import views

urlpatterns = [
    path("today/", views.today, name="board"),
    path("sites/<str:site_id>/check-in/", views.check_in, name="staff-check-in"),
    path("sites/<str:site_id>/kiosk/", views.open_kiosk, name="staff-kiosk"),
    path("appointments/<str:appointment_id>/step/", views.step, name="staff-step"),
]
