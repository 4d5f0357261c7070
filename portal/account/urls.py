"""URL patterns of the pages after signing in. The sign-in pages themselves are allauth's."""

from django.urls import path

from portal.account import views

urlpatterns = [
    path("start/", views.start, name="start"),
    path("details/", views.details, name="details"),
    path("sessions/end/", views.end_other_sessions, name="sessions-end"),
    path("sessions/<int:session_id>/end/", views.end_session, name="session-end"),
]
