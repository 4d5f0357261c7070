"""The addresses of messages: those to a patient, how they want them, and what providers tell."""

from django.urls import path

from portal.messages import views

urlpatterns = [
    path("messages/", views.index, name="messages"),
    path("messages/read/", views.read, name="messages-read"),
    path("messages/text-status/<str:message_id>/", views.text_status, name="sms-status"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/<str:patient_id>/", views.preferences, name="preferences-of"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("staff/messages/<str:message_id>/again/", views.send_again, name="send-again"),
]
