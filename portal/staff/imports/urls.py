"""URL patterns of imports, below /staff/setup/import/."""

from django.urls import path

from portal.staff.imports import views

urlpatterns = [
    path("", views.imported_files, name="imports"),
    path("<int:file_id>/", views.imported_file, name="import"),
    path("<int:file_id>/refused.csv", views.refused_lines, name="import-refused"),
]
