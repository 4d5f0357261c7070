"""URL patterns of checking in."""

from django.urls import path

from portal.arrivals import views

urlpatterns = [
    path("appointments/<str:appointment_id>/check-in/", views.check_in, name="check-in"),
    path("v/<str:token>/check-in/", views.check_in_by_link, name="manage-check-in"),
    path("here/<str:site_id>/", views.find, name="find-visit"),
    path("here/<str:site_id>/visits/", views.found, name="found-visits"),
    path("here/<str:site_id>/<int:number>/", views.check_in_found, name="found-visit"),
]
