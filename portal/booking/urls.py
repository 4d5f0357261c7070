"""URL patterns between a chosen time and the booked visit, and of moving a visit to another time."""

from django.urls import include, path

from portal.booking.views import (
    about,
    also,
    confirmation,
    courses,
    coverage,
    deep_links,
    details,
    holds,
    moves,
    needs,
    payment,
    together,
)

OF_A_VISIT = [
    path("about/", about.about, name="about"),
    path("also/", also.also, name="also"),
    path("about/<str:who>/", about.about_details, name="about-details"),
    path("proof/", about.proof, name="proof"),
    path("coverage/", coverage.coverage, name="coverage"),
    path("coverage/new/", coverage.new_coverage, name="new-coverage"),
    path("details/", details.details_check, name="details-check"),
    path("needs/", needs.needs, name="needs"),
    path("confirm/", confirmation.confirm, name="confirm"),
    path("pay/", payment.pay, name="pay"),
    path("payment/", payment.payment, name="payment"),
    path("booked/", confirmation.booked, name="booked"),
    path("let-go/", holds.let_go, name="let-go"),
    path("presence/", holds.presence, name="presence"),
    path("keep/", holds.keep, name="keep"),
    path("move/", moves.move, name="move"),
]
urlpatterns = [
    path("together/", together.together, name="together"),
    path("book/<str:service_id>/hold/", holds.hold, name="hold"),
    path("book/<str:service_id>/course/", courses.course, name="course"),
    path("book/<str:service_id>/at/", deep_links.deep_link, name="deep-link"),
    path("appointments/<str:appointment_id>/", include(OF_A_VISIT)),
    path("payments/stripe/", payment.webhook, name="payment-webhook"),
    path("v/<str:token>/move/", moves.move_by_link, name="manage-move"),
]
