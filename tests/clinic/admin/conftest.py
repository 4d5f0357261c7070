import pytest


@pytest.fixture
def desk(client, alex):
    """The administrator's browser."""
    client.force_login(alex)
    return client
