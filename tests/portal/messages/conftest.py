import pytest

from tests.factories import PatientFactory, RelatedPersonFactory


@pytest.fixture
def kim(ada):
    """Ada's child."""
    child = PatientFactory(given="Kim", email="")
    RelatedPersonFactory(patient=child, user=ada.user)
    return child
