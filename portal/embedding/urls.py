"""URL patterns of embedding the booking in the clinic's own site."""

from django.urls import path

from portal.embedding import views

urlpatterns = [
    path("embed.js", views.script, name="embed-script"),
    path("staff/embed/", views.snippet, name="staff-embed"),
]
