"""URL patterns of running late, below /staff/late/."""

from django.urls import path

from portal.staff.delays import views

urlpatterns = [
    path("", views.late, name="staff-late"),
    path("undo/", views.undo, name="staff-late-undo"),
]
