"""URL patterns of the pages that list services and their times."""

from django.urls import path

from portal.finding import views

urlpatterns = [
    path("", views.services, name="services"),
    path("near/", views.near, name="near"),
    path("practitioners/<str:practitioner_id>/", views.practitioner, name="practitioner"),
    path("sites/<str:site_id>/", views.site, name="site"),
    path("photos/<str:digest>.jpg", views.photo, name="photo"),
    path("book/<str:service_id>/", views.choose_time, name="choose-time"),
]
