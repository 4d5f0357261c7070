"""The addresses at which somebody lets an app in, and stops it."""

from django.urls import path

from portal.oauth.views import apps, authorizing

urlpatterns = [
    path("oauth/authorize/", authorizing.AuthorizeView.as_view(), name="authorize"),
    path("oauth/authorize/decide/", authorizing.DecideView.as_view(), name="authorize-decide"),
    path("apps/", apps.index, name="apps"),
    path("apps/<str:client_id>/stop/", apps.stop, name="app-stop"),
]
