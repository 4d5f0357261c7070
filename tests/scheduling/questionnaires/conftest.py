from datetime import timedelta

import pytest

from scheduling.access import Caller
from tests.factories import AppointmentFactory, QuestionnaireFactory, ServiceFactory
from tests.scheduling.questionnaires.sheets import NOW, PAIN, item


@pytest.fixture
def form_row(db):
    return QuestionnaireFactory(item=[PAIN, item("string", "b", required=True)])


@pytest.fixture
def service(form_row):
    return ServiceFactory(questionnaires=[form_row], requires_questionnaires=True)


@pytest.fixture
def held(service, chen, ada):
    return AppointmentFactory(
        service=service,
        patient=ada,
        schedules=[chen],
        status="pending",
        hold_expires_at=NOW + timedelta(minutes=10),
    )


@pytest.fixture
def caller(ada):
    return Caller(user=ada.user)
