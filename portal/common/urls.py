"""URL patterns of the frame of every page."""

from django.urls import path

from portal.common import views

urlpatterns = [
    path("language/", views.set_language, name="set-language"),
    path("theme.css", views.stylesheet, name="theme"),
]
