"""URL patterns of the export of everything, below /staff/setup/export/."""

from django.urls import path

from portal.staff.exports import views

urlpatterns = [
    path("", views.exports, name="exports"),
    path("<int:export_id>/everything.json", views.export_file, name="export-file"),
]
