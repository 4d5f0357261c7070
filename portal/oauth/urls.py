"""URL patterns of giving an app access, and of stopping it."""

from django.urls import path

from portal.oauth.views import apps, authorization

urlpatterns = [
    path("oauth/authorize/", authorization.AuthorizeView.as_view(), name="authorize"),
    path("oauth/authorize/decide/", authorization.DecideView.as_view(), name="authorize-decide"),
    path("apps/", apps.index, name="apps"),
    path("apps/<str:client_id>/stop/", apps.stop, name="app-stop"),
]
