"""Questionnaires and their answers."""

from datetime import timedelta

import factory

from clinic import models
from tests.factories.base import MONDAY_9, ResourceFactory
from tests.factories.people import PatientFactory


class QuestionnaireFactory(ResourceFactory):
    class Meta:
        model = models.Questionnaire

    status = models.Questionnaire.Status.ACTIVE
    title = factory.Sequence("Before your visit {}".format)
    url = factory.Sequence("https://example.org/Questionnaire/{}".format)
    item = [{"linkId": "1", "type": "string", "text": "What brings you here?"}]


class QuestionnaireResponseFactory(ResourceFactory):
    """Completed answers to the only question of QuestionnaireFactory."""

    class Meta:
        model = models.QuestionnaireResponse

    status = models.QuestionnaireResponse.Status.COMPLETED
    questionnaire = factory.SubFactory(QuestionnaireFactory)
    appointment = None
    patient = factory.LazyAttribute(lambda it: it.appointment.patient if it.appointment else PatientFactory())
    authored = MONDAY_9 - timedelta(days=1)
    item = factory.LazyFunction(lambda: [{"linkId": "1", "answer": [{"valueString": "A rash"}]}])
