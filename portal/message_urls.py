"""The addresses of messages: those to a patient, how they want them, and what providers tell."""

from django.urls import path

from portal.views import demo_messages, messages

urlpatterns = [
    path("messages/", messages.index, name="messages"),
    path("messages/read/", messages.read, name="messages-read"),
    path("messages/text-status/<str:message_id>/", messages.text_status, name="sms-status"),
    path("preferences/", messages.preferences, name="preferences"),
    path("preferences/<str:patient_id>/", messages.preferences, name="preferences-of"),
    path("unsubscribe/<str:token>/", messages.unsubscribe, name="unsubscribe"),
    path("staff/messages/<str:message_id>/again/", messages.send_again, name="send-again"),
    path("demo/messages/", demo_messages.index, name="demo-messages"),
    path("demo/messages/<str:name>/visit.ics", demo_messages.invitation, name="demo-invitation"),
]
