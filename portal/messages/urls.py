"""URL patterns of messages, message preferences, and delivery reports of providers."""

from django.urls import path

from portal.messages import views

urlpatterns = [
    path("messages/", views.index, name="messages"),
    path("messages/read/", views.read, name="messages-read"),
    path("messages/text-status/<str:message_id>/", views.text_status, name="sms-status"),
    path("messages/text-reply/", views.text_reply, name="text-reply"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/<str:patient_id>/", views.preferences, name="preferences-of"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("staff/messages/<str:message_id>/again/", views.send_again, name="send-again"),
    path("staff/messages/<str:message_id>/read/", views.text_read, name="text-read"),
]
