"""URL patterns of a visit's questions."""

from django.urls import path

from portal.questions.views import answers, questions

urlpatterns = [
    path("appointments/<str:appointment_id>/questions/", questions.start, name="questions"),
    path("appointments/<str:appointment_id>/questions/stop/", questions.stop, name="questions-stop"),
    path("appointments/<str:appointment_id>/questions/<int:number>/", questions.part, name="questions-part"),
    path("appointments/<str:appointment_id>/questions/<int:number>/save/", questions.save, name="questions-save"),
    path("appointments/<str:appointment_id>/answers/", answers.answers, name="answers"),
    path(
        "appointments/<str:appointment_id>/answers/<str:response_id>/<str:digest>/",
        answers.file,
        name="answer-file",
    ),
    path("staff/questionnaires/<str:questionnaire_id>/", answers.preview, name="questionnaire-preview"),
]
