import pytest
from django.utils.formats import reset_format_cache


@pytest.fixture
def desk(client, alex):
    """The administrator's browser."""
    client.force_login(alex)
    return client


@pytest.fixture
def fresh_formats():
    """Clear Django's cached formats before and after a test that changes the country."""
    reset_format_cache()
    yield
    reset_format_cache()
