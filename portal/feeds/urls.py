"""URL patterns of /calendars/: calendar feeds, and the page where they are created and revoked."""

from django.urls import path

from portal.feeds import views

urlpatterns = [
    path("", views.index, name="feeds"),
    path("<int:feed_id>/revoke/", views.revoke, name="feed-revoke"),
    path("<str:secret>.ics", views.feed, name="feed"),
]
