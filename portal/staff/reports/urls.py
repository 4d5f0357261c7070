"""URL patterns of the reports, below /staff/reports/."""

from django.urls import path

from portal.staff.reports import views

urlpatterns = [
    path("", views.free_times, name="report-free-times"),
    path("free-times.csv", views.free_times_file, name="report-free-times-file"),
    path("<str:kind>/", views.report, name="report"),
    path("<str:kind>.csv", views.report_file, name="report-file"),
]
