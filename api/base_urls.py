"""The base itself, which clients name without the slash at its end."""

from django.urls import path

from api.views import SystemView

urlpatterns = [path("", SystemView.as_view())]
