"""URL patterns of messages in the words of staff, below /staff/messages/."""

from django.urls import path

from portal.staff.messages import views

urlpatterns = [
    path("", views.index, name="staff-messages"),
    path("new/", views.write, name="staff-new-message"),
    path("<int:message_id>/", views.message, name="staff-message"),
    path("<int:message_id>/change/", views.write, name="staff-message-change"),
    path("<int:message_id>/step/", views.step, name="staff-message-step"),
]
