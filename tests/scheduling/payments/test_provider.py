"""The settings of the payment provider, the amounts that it is told, and what it costs who does not use it."""

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from clinic.payment_settings import check_provider
from scheduling.payments.stripe_provider import stripe_amount

KEY, SECRET = "sk_live_1", "whsec_1"
LOCAL = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("name", "others", "is_demo"),
    [
        ("", {}, False),
        ("stripe", {"key": KEY, "webhook_secret": SECRET}, False),
        ("stripe", {"key": "sk_test_1", "webhook_secret": SECRET}, True),
        ("local", {"api_base": LOCAL}, True),
    ],
)
def test_settings_that_work(name, others, is_demo):
    assert check_provider(name, **{"key": "", "webhook_secret": "", "api_base": "", **others}, is_demo=is_demo) == name


@pytest.mark.parametrize(
    ("name", "others", "is_demo", "says"),
    [
        ("paypal", {}, False, "must be stripe"),
        ("local", {"api_base": LOCAL}, False, "no money moves"),
        ("local", {"api_base": "https://pay.example"}, True, "on this machine"),
        ("stripe", {"key": KEY, "webhook_secret": SECRET, "api_base": LOCAL}, False, "for PAYMENT_PROVIDER=local"),
        ("stripe", {"webhook_secret": SECRET}, False, "STRIPE_SECRET_KEY must be set"),
        ("stripe", {"key": "sk_test_1", "webhook_secret": SECRET}, False, "is a test key"),
        ("stripe", {"key": KEY}, False, "STRIPE_WEBHOOK_SECRET must be set"),
    ],
)
def test_settings_that_stop_the_start(name, others, is_demo, says):
    with pytest.raises(ImproperlyConfigured, match=says):
        check_provider(name, **{"key": "", "webhook_secret": "", "api_base": "", **others}, is_demo=is_demo)


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [(4050, "USD", 4050), (4050, "JPY", 4050), (4050, "KWD", 4050), (4050, "ISK", 405000)],
)
def test_amounts_in_the_units_in_which_the_provider_counts(amount, currency, told):
    assert stripe_amount(amount, currency) == told


def test_the_sdk_is_imported_only_where_somebody_pays():
    code = "import sys, django; django.setup(); import clinic.urls, scheduling.tasks; sys.exit('stripe' in sys.modules)"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
