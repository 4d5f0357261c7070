"""URL patterns of the pages that list services and their times."""

from django.urls import path

from portal.finding import views

urlpatterns = [
    path("", views.services, name="services"),
    path("near/", views.near, name="near"),
    path("book/<str:service_id>/", views.choose_time, name="choose-time"),
]
