"""The pages' addresses. Ids in them are random; nothing in them tells about a patient."""

from django.urls import path

from portal.views import accounts, appointments, booking, confirming, holding, staff

app_name = "portal"
urlpatterns = [
    path("", booking.services, name="services"),
    path("book/<str:service_id>/", booking.choose_time, name="choose-time"),
    path("book/<str:service_id>/hold/", holding.hold, name="hold"),
    path("appointments/", appointments.index, name="visits"),
    path("appointments/<str:appointment_id>/", appointments.detail, name="visit"),
    path("appointments/<str:appointment_id>/confirm/", confirming.confirm, name="confirm"),
    path("appointments/<str:appointment_id>/booked/", confirming.booked, name="booked"),
    path("appointments/<str:appointment_id>/let-go/", confirming.let_go, name="let-go"),
    path("appointments/<str:appointment_id>/cancel/", appointments.cancel, name="cancel"),
    path("start/", accounts.start, name="start"),
    path("details/", accounts.details, name="details"),
    path("staff/", staff.day, name="day"),
    path("staff/week/", staff.week, name="week"),
]
