"""Where people go who have signed in. Signing in itself is allauth's."""

from django.urls import path

from portal.account import views

urlpatterns = [
    path("start/", views.start, name="start"),
    path("details/", views.details, name="details"),
]
