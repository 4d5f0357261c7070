import pytest


@pytest.fixture
def there(checkup):
    """Where the button of a time leads."""
    return f"/book/{checkup.fhir_id}/hold/"
