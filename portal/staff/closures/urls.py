"""URL patterns of /staff/setup/closures/, where managers close the clinic or a part of it for a time."""

from django.urls import path

from portal.staff.closures import views

urlpatterns = [
    path("", views.closures, name="closures"),
    path("holidays/", views.holidays, name="closures-holidays"),
    path("<int:pk>/remove/", views.remove, name="closures-remove"),
    path("<int:pk>/restore/", views.restore, name="closures-restore"),
]
