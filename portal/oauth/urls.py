"""URL patterns of giving an app access, and of stopping it."""

from django.urls import path

from portal.oauth.views import apps, authorizing

urlpatterns = [
    path("oauth/authorize/", authorizing.AuthorizeView.as_view(), name="authorize"),
    path("oauth/authorize/decide/", authorizing.DecideView.as_view(), name="authorize-decide"),
    path("apps/", apps.index, name="apps"),
    path("apps/<str:client_id>/stop/", apps.stop, name="app-stop"),
]
