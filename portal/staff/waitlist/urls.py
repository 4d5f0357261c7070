"""URL patterns of the waiting list for staff, below /staff/."""

from django.urls import path

from portal.staff.waitlist import views

urlpatterns = [
    path("waiting-list/", views.waiting_list, name="waiting-list"),
    path("waiting-list/offers/", views.offers, name="waiting-list-offers"),
    path("waiting-list/free/", views.gaps, name="waiting-list-gaps"),
    path("waiting-list/free/<str:schedule_id>/<str:entry_id>/", views.give, name="waiting-list-give"),
    path("waiting-list/new/", views.find, name="waiting-list-find"),
    path("waiting-list/new/<str:service_id>/<str:patient_id>/", views.join, name="waiting-list-join"),
    path("waiting-list/<str:entry_id>/priority/", views.prioritise, name="waiting-list-priority"),
    path("waiting-list/<str:entry_id>/call/", views.call, name="waiting-list-call"),
    path("waiting-list/calls/<int:call_id>/remove/", views.remove_call, name="waiting-list-call-remove"),
    path("waiting-list/<str:entry_id>/remove/", views.remove, name="waiting-list-remove"),
]
