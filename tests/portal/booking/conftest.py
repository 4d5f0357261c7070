import pytest


@pytest.fixture
def there(checkup):
    """Address to which the button of a time posts."""
    return f"/book/{checkup.fhir_id}/hold/"
