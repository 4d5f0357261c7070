"""URL patterns of a patient's own details, below /my-details/."""

from django.urls import path

from portal.details import views

urlpatterns = [
    path("", views.index, name="my-details"),
    path("<str:patient_id>/", views.index, name="details-of"),
    path("<str:patient_id>/right/", views.confirm, name="details-right"),
    path("<str:patient_id>/name/", views.identity, name="details-name"),
    path("<str:patient_id>/address/", views.address, name="details-address"),
    path("<str:patient_id>/needs/", views.needs, name="details-needs"),
    path("<str:patient_id>/insurance/", views.new_coverage, name="details-coverage-new"),
    path("<str:patient_id>/insurance/<str:coverage_id>/", views.coverage, name="details-coverage"),
    path("<str:patient_id>/insurance/<str:coverage_id>/end/", views.end_coverage, name="details-coverage-end"),
    path("<str:patient_id>/insurance/<str:coverage_id>/card/", views.card, name="details-card"),
    path("<str:patient_id>/insurance/<str:coverage_id>/card/<str:side>/", views.photo, name="card-photo"),
]
