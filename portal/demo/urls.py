"""Below /demo/messages/: what the demo has sent."""

from django.urls import path

from portal.demo import views

urlpatterns = [
    path("", views.index, name="demo-messages"),
    path("<str:name>/visit.ics", views.invitation, name="demo-invitation"),
]
