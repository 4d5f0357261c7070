"""URL patterns of the waiting list: joining it, and the page of an entry, by its link."""

from django.urls import path

from portal.waitlist.views import entries, guests, joining

urlpatterns = [
    path("book/<str:service_id>/wait/", joining.join, name="wait"),
    path("book/<str:service_id>/wait/about/", guests.about, name="wait-about"),
    path("book/<str:service_id>/wait/proof/", guests.proof, name="wait-proof"),
    path("appointments/<str:appointment_id>/wait/", joining.join_with_visit, name="wait-visit"),
    path("v/<str:token>/wait/", joining.join_by_link, name="manage-wait"),
    path("w/<str:token>/", entries.entry, name="waiting"),
    path("w/<str:token>/answer/", entries.answer, name="waiting-answer"),
    path("w/<str:token>/change/", entries.change, name="waiting-change"),
    path("w/<str:token>/leave/", entries.leave, name="waiting-leave"),
]
