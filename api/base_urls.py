"""URL of the API's base without its final slash, as clients name it."""

from django.urls import path

from api.views import SystemView

urlpatterns = [path("", SystemView.as_view())]
