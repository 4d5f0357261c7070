"""URL pattern of the worklist, below /staff/."""

from django.urls import path

from portal.staff.worklist import views

urlpatterns = [
    path("to-do/", views.worklist, name="worklist"),
]
