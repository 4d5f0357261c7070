"""URL patterns of absences, below /staff/absences/."""

from django.urls import path

from portal.staff.absences import views

urlpatterns = [
    path("", views.index, name="staff-absences"),
    path("new/", views.new, name="staff-new-absence"),
    path("<int:absence_id>/", views.absence, name="staff-absence"),
    path("<int:absence_id>/change/", views.change, name="staff-absence-change"),
    path("<int:absence_id>/step/", views.step, name="staff-absence-step"),
    path("<int:absence_id>/book/", views.book, name="staff-absence-book"),
    path("<int:absence_id>/called/", views.called, name="staff-absence-called"),
]
