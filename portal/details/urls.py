"""URL patterns of a patient's own details, below /my-details/."""

from django.urls import path

from portal.details.views import details, number, personal_data

urlpatterns = [
    path("", details.index, name="my-details"),
    path("<str:patient_id>/", details.index, name="details-of"),
    path("<str:patient_id>/right/", details.confirm, name="details-right"),
    path("<str:patient_id>/name/", details.identity, name="details-name"),
    path("<str:patient_id>/address/", details.address, name="details-address"),
    path("<str:patient_id>/number/", number.index, name="details-number"),
    path("<str:patient_id>/number/code/", number.code, name="details-number-code"),
    path("<str:patient_id>/needs/", details.needs, name="details-needs"),
    path("<str:patient_id>/insurance/", details.new_coverage, name="details-coverage-new"),
    path("<str:patient_id>/insurance/<str:coverage_id>/", details.coverage, name="details-coverage"),
    path("<str:patient_id>/insurance/<str:coverage_id>/end/", details.end_coverage, name="details-coverage-end"),
    path("<str:patient_id>/insurance/<str:coverage_id>/card/", details.card, name="details-card"),
    path("<str:patient_id>/insurance/<str:coverage_id>/card/<str:side>/", details.photo, name="card-photo"),
    path("<str:patient_id>/data/", personal_data.index, name="details-data"),
    path("<str:patient_id>/data/file/", personal_data.export, name="details-export"),
    path("<str:patient_id>/data/delete/", personal_data.erase, name="details-erase"),
    path("<str:patient_id>/data/keep/", personal_data.withdraw, name="details-erase-withdraw"),
]
