"""The page "Set up" leads managers to what they set rarely, and refuses everybody else."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
SETUP = "/staff/setup/"


def test_a_manager_is_led_to_every_page(client, as_administrator):
    text = client.get(SETUP).content.decode()

    for page in ("portal:checklist", "portal:hours", "portal:staff-embed", "portal:people", "admin:index"):
        assert f'href="{reverse(page)}"' in text
    assert f'href="{SETUP}"' in client.get("/staff/hours/").content.decode()


def test_other_staff_are_refused_and_not_led_there(client, as_rana):
    assert client.get(SETUP).status_code == 403
    assert f'href="{SETUP}"' not in client.get("/staff/hours/").content.decode()
