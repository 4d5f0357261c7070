"""The addresses of what every page stands in."""

from django.urls import path

from portal.common import views

urlpatterns = [
    path("language/", views.set_language, name="set-language"),
    path("theme.css", views.stylesheet, name="theme"),
]
