"""URL patterns between a chosen time and the booked visit, and of moving a visit to another time."""

from django.urls import include, path

from portal.booking.views import about, confirming, coverage, holding, linking, moving

OF_A_VISIT = [
    path("about/", about.about, name="about"),
    path("about/<str:who>/", about.about_details, name="about-details"),
    path("proof/", about.proof, name="proof"),
    path("coverage/", coverage.coverage, name="coverage"),
    path("coverage/new/", coverage.new_coverage, name="new-coverage"),
    path("confirm/", confirming.confirm, name="confirm"),
    path("booked/", confirming.booked, name="booked"),
    path("let-go/", holding.let_go, name="let-go"),
    path("presence/", holding.presence, name="presence"),
    path("keep/", holding.keep, name="keep"),
    path("move/", moving.move, name="move"),
]
urlpatterns = [
    path("book/<str:service_id>/hold/", holding.hold, name="hold"),
    path("book/<str:service_id>/at/", linking.deep_link, name="deep-link"),
    path("appointments/<str:appointment_id>/", include(OF_A_VISIT)),
    path("v/<str:token>/move/", moving.move_by_link, name="manage-move"),
]
