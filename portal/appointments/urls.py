"""URL patterns of a patient's visits, and of one visit by its manage link."""

from django.urls import path

from portal.appointments.views import dues, manage, recalls, visits

urlpatterns = [
    path("appointments/", visits.index, name="visits"),
    path("appointments/<str:appointment_id>/", visits.detail, name="visit"),
    path("appointments/<str:appointment_id>/cancel/", visits.cancel, name="cancel"),
    path("appointments/<str:appointment_id>/balance/", dues.balance, name="balance"),
    path("appointments/<str:appointment_id>/suggestion/", visits.answer_suggestion, name="answer-suggestion"),
    path("appointments/<str:appointment_id>/times/", visits.answer_times, name="answer-times"),
    path("appointments/<str:appointment_id>/visit.ics", visits.ics, name="ics"),
    path("appointments/<str:appointment_id>/join/", visits.join, name="join"),
    path("again/<str:token>/", recalls.recall, name="recall"),
    path("again/<str:token>/decline/", recalls.decline, name="recall-decline"),
    path("v/<str:token>/", manage.manage, name="manage"),
    path("v/<str:token>/attend/", manage.attend, name="manage-attend"),
    path("v/<str:token>/suggestion/", manage.answer_suggestion, name="manage-suggestion"),
    path("v/<str:token>/times/", manage.answer_times, name="manage-times"),
    path("v/<str:token>/cancel/", manage.cancel, name="manage-cancel"),
    path("v/<str:token>/balance/", dues.balance_by_link, name="manage-balance"),
    path("payments/<uuid:reference>/", dues.back_from_provider, name="payment-back"),
]
