"""URL patterns of what was taken at the desk, below /staff/payments/."""

from django.urls import path

from portal.staff.payments import views

urlpatterns = [path("", views.day, name="staff-payments")]
