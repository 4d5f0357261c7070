"""URL patterns of a visit's questions."""

from django.urls import path

from portal.questions.views import asking, reading

urlpatterns = [
    path("appointments/<str:appointment_id>/questions/", asking.start, name="questions"),
    path("appointments/<str:appointment_id>/questions/stop/", asking.stop, name="questions-stop"),
    path("appointments/<str:appointment_id>/questions/<int:number>/", asking.part, name="questions-part"),
    path("appointments/<str:appointment_id>/questions/<int:number>/save/", asking.save, name="questions-save"),
    path("appointments/<str:appointment_id>/answers/", reading.answers, name="answers"),
    path(
        "appointments/<str:appointment_id>/answers/<str:response_id>/<str:digest>/",
        reading.file,
        name="answer-file",
    ),
    path("staff/questionnaires/<str:questionnaire_id>/", reading.preview, name="questionnaire-preview"),
]
