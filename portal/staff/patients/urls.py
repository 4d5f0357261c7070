"""URL patterns of patients' records for staff, below /staff/patients/."""

from django.urls import path

from portal.staff.patients.views import coming_visits, duplicates, labels, notes, patient, personal_data, search

urlpatterns = [
    path("", search.search, name="staff-patients"),
    path("labels/", labels.labels, name="labels"),
    path("labels.css", labels.stylesheet, name="label-styles"),
    path("duplicates/", duplicates.index, name="staff-duplicates"),
    path("duplicates/<int:pair_id>/reject/", duplicates.reject, name="staff-duplicate-reject"),
    path("notes/<int:note_id>/", notes.change, name="staff-note"),
    path("notes/<int:note_id>/remove/", notes.remove, name="staff-note-remove"),
    path("deleted/", personal_data.reports, name="staff-erasures"),
    path("<str:patient_id>/", patient.patient, name="staff-patient"),
    path("<str:patient_id>/data/", personal_data.erase, name="staff-patient-data"),
    path("<str:patient_id>/data/file/", personal_data.export, name="staff-patient-export"),
    path("<str:patient_id>/data/decline/", personal_data.decline, name="staff-erasure-decline"),
    path("<str:patient_id>/labels/", labels.patient_labels, name="patient-labels"),
    path("<str:patient_id>/coming/", coming_visits.coming_visits, name="coming-visits"),
    path("<str:patient_id>/edit/", patient.edit, name="staff-patient-edit"),
    path("<str:patient_id>/merge/<str:other_id>/", duplicates.compare, name="staff-compare"),
    path("<str:patient_id>/unmerge/", duplicates.unmerge, name="staff-unmerge"),
    path("<str:patient_id>/notes/", notes.write, name="staff-notes"),
    path("<str:patient_id>/coverage/<str:coverage_id>/", patient.check_coverage, name="staff-patient-coverage"),
]
