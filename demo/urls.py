"""Below /demo/messages/: what the demo has sent."""

from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [
    path("", views.index, name="messages"),
    path("reply/", views.reply, name="reply"),
    path("<str:name>/visit.ics", views.invitation, name="invitation"),
]
