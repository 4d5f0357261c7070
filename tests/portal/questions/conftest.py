from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import AppointmentFactory, QuestionnaireFactory, ServiceFactory
from tests.portal.questions.answers import BORN, HOW_MUCH, PAIN, SMOKES


@pytest.fixture
def form():
    return QuestionnaireFactory(title="Before your visit", item=[PAIN, SMOKES, HOW_MUCH, BORN])


@pytest.fixture
def service(form):
    return ServiceFactory(name="Check-up", questionnaires=[form], requires_questionnaires=True)


@pytest.fixture
def held(service, ada, site):
    soon = timezone.now() + timedelta(minutes=10)
    return AppointmentFactory(
        service=service,
        patient=ada,
        site=site,
        status="pending",
        hold_expires_at=soon,
        start=soon + timedelta(days=3),
    )
