"""URL patterns of the worklist, below /staff/."""

from django.urls import path

from portal.staff.worklist import views

urlpatterns = [
    path("to-do/", views.worklist, name="worklist"),
    path("to-do/details/<int:change_id>/", views.decide, name="staff-details"),
    path("to-do/<str:kind>/<int:row>/", views.arrange, name="worklist-item"),
    path("to-do/<str:kind>/<int:row>/owner/", views.own, name="worklist-own"),
]
