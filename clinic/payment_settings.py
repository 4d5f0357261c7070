"""Check of the settings for payments. An invalid value stops the start."""

from django.core.exceptions import ImproperlyConfigured

STRIPE, LOCAL = "stripe", "local"


def check_provider(name: str, *, key: str, webhook_secret: str, api_base: str, is_demo: bool) -> str:
    """Return the name of the payment provider; empty for none."""
    if name not in ("", STRIPE, LOCAL):
        raise ImproperlyConfigured(f"PAYMENT_PROVIDER must be stripe, or empty for no payments, not {name!r}.")
    if name == LOCAL and not is_demo:
        raise ImproperlyConfigured("PAYMENT_PROVIDER=local is for the demo and the tests: no money moves.")
    if name == LOCAL and not api_base.startswith("http://127.0.0.1:"):
        raise ImproperlyConfigured("STRIPE_API_BASE must be the local provider's address on this machine.")
    if name == STRIPE and api_base:
        raise ImproperlyConfigured("STRIPE_API_BASE is for PAYMENT_PROVIDER=local alone.")
    if name == STRIPE and not key.startswith(("sk_", "rk_")):
        raise ImproperlyConfigured("STRIPE_SECRET_KEY must be set: a secret or restricted key of Stripe's.")
    if name == STRIPE and not is_demo and "_test_" in key:
        raise ImproperlyConfigured("STRIPE_SECRET_KEY is a test key: no money would move.")
    if name == STRIPE and not webhook_secret.startswith("whsec_"):
        raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET must be set: the signing secret of the webhook.")
    return name
