import pytest
from django.utils.formats import reset_format_cache


@pytest.fixture
def desk(client, alex):
    """The administrator's browser."""
    client.force_login(alex)
    return client


@pytest.fixture
def fresh_formats():
    """Django's formats for the country of the test, and afterwards for that of the others."""
    reset_format_cache()
    yield
    reset_format_cache()
