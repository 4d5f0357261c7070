"""URL patterns of putting the booking on a site of the clinic's own."""

from django.urls import path

from portal.embedding import views

urlpatterns = [
    path("embed.js", views.script, name="embed-script"),
    path("staff/embed/", views.snippet, name="staff-embed"),
]
