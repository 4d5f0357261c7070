"""URL patterns of /staff/setup/, where managers set up the clinic."""

from django.urls import include, path

from portal.staff.setup.views import hours, pages, questions, rows, types

urlpatterns = [
    path("", pages.setup, name="setup"),
    path("clinic/", pages.clinic, name="setup-clinic"),
    path("sites/", rows.sites, name="setup-sites"),
    path("sites/<str:site_id>/", rows.site, name="setup-site"),
    path("people/", rows.people, name="setup-people"),
    path("people/<str:practitioner_id>/", rows.person, name="setup-person"),
    path("rooms/", rows.rooms, name="setup-rooms"),
    path("rooms/<str:room_id>/", rows.room, name="setup-room"),
    path("devices/<str:device_id>/", rows.device, name="setup-device"),
    path("visits/", hours.services, name="setup-services"),
    path("visits/new/", rows.service, name="setup-service-new"),
    path("visits/<str:service_id>/", rows.service, name="setup-service"),
    path("types/", types.service_types, name="setup-types"),
    path("types/<int:type_id>/", types.service_type, name="setup-type"),
    path("types/<int:type_id>/remove/", types.remove, name="setup-type-remove"),
    path("questions/", questions.questionnaires, name="setup-questionnaires"),
    path("questions/<str:questionnaire_id>/", questions.questionnaire, name="setup-questionnaire"),
    path("questions/<str:questionnaire_id>/new/", questions.question, name="setup-question-new"),
    path("questions/<str:questionnaire_id>/arrange/", questions.arrange, name="setup-questions-arrange"),
    path("questions/<str:questionnaire_id>/question/<path:link_id>/", questions.question, name="setup-question"),
    path("hours/", hours.hours, name="setup-hours"),
    path("hours/<str:schedule_id>/", hours.week, name="setup-week"),
    path("calendars/<str:schedule_id>/", rows.calendar, name="setup-calendar"),
    path("messages/", pages.messages, name="setup-messages"),
    path("preview/", pages.preview, name="setup-preview"),
    path("accounts/", include("portal.staff.people.urls")),
]
