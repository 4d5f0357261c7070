"""Stripe as the payment provider: https://docs.stripe.com/api

Amounts are reserved on the card when the patient pays, and taken once the visit is booked (manual capture). The local
provider of the demo and the tests is the same code: the SDK is pointed at a server that speaks this part of the API.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from clinic import money
from scheduling.payments.provider import (
    CardCharge,
    Checkout,
    CheckoutRequest,
    CheckoutResult,
    CheckoutState,
    Declined,
    ProviderUnavailable,
    UnknownEvent,
)

TIMEOUT = 10  # seconds, of one request
RETRIES = 2  # by the SDK, of requests that the network lost
# Currencies that Stripe counts in other units than ISO 4217: https://docs.stripe.com/currencies#zero-decimal
WHOLE_UNITS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
RESERVED = ("requires_capture", "succeeded")


class StripeProvider:
    """Requests to Stripe's API by its SDK."""

    def __init__(self, client: stripe.StripeClient, webhook_secret: str) -> None:
        self._api = client.v1
        self._client = client
        self._webhook_secret = webhook_secret

    @classmethod
    def from_settings(cls) -> "StripeProvider":
        return _provider(settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_BASE)

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        params: Any = {
            "client_reference_id": request.key,
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
            "locale": request.language or "auto",
            "payment_method_types": ["card"],
            "metadata": {"payment": request.key},
        }
        if request.email:
            params["customer_email"] = request.email
        if request.amount:
            product = {"name": request.label}
            price = {
                "currency": request.currency.lower(),
                "unit_amount": stripe_amount(request.amount, request.currency),
                "product_data": product,
            }
            params |= {
                "mode": "payment",
                "line_items": [{"quantity": 1, "price_data": price}],
                "payment_intent_data": {"capture_method": "manual", "metadata": {"payment": request.key}},
            }
        else:
            params |= {"mode": "setup", "customer_creation": "always"}
        # A page in another language is another request. Nobody has seen the first, or its address would be known.
        digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
        with _refusals():
            session = self._api.checkout.sessions.create(params, {"idempotency_key": f"{request.key}-{digest}"})
        return Checkout(session.id, session.url or "")

    def read_checkout(self, session: str) -> CheckoutResult:
        with _refusals():
            found = self._api.checkout.sessions.retrieve(session, {"expand": ["payment_intent", "setup_intent"]})
        intent: Any = found.payment_intent or found.setup_intent
        if found.status == "expired" or (intent is not None and intent.status == "canceled"):
            return CheckoutResult(state=CheckoutState.OVER)
        if intent is None or intent.status not in RESERVED:
            return CheckoutResult(state=CheckoutState.OPEN)
        return CheckoutResult(
            state=CheckoutState.DONE,
            intent=intent.id if found.payment_intent else "",
            customer=str(found.customer or ""),
            card="" if found.payment_intent else str(intent.payment_method or ""),
        )

    def end_checkout(self, session: str) -> None:
        with _refusals(), _unless(lambda: self._api.checkout.sessions.retrieve(session).status != "open"):
            self._api.checkout.sessions.expire(session)

    def capture(self, intent: str, *, key: str) -> None:
        with _refusals(), _unless(lambda: self._api.payment_intents.retrieve(intent).status == "succeeded"):
            self._api.payment_intents.capture(intent, options={"idempotency_key": key})

    def release(self, intent: str, *, key: str) -> None:
        with _refusals(), _unless(lambda: self._api.payment_intents.retrieve(intent).status == "canceled"):
            self._api.payment_intents.cancel(intent, options={"idempotency_key": key})

    def refund(self, intent: str, amount: int, currency: str, *, key: str, again: bool) -> None:
        with _refusals():
            if again and _named(self._api.refunds.list({"payment_intent": intent, "limit": 100}), key):
                return
            params: Any = {
                "payment_intent": intent,
                "amount": stripe_amount(amount, currency),
                "metadata": {"order": key},
            }
            self._api.refunds.create(params, {"idempotency_key": key})

    def charge(self, charge: CardCharge, *, key: str, again: bool) -> str:
        with _refusals():
            if again:
                made = self._api.payment_intents.list({"customer": charge.customer, "limit": 100})
                done = [intent for intent in _all_named(made, key) if intent.status == "succeeded"]
                if done:
                    return str(done[0].id)
            params: Any = {
                "customer": charge.customer,
                "payment_method": charge.card,
                "amount": stripe_amount(charge.amount, charge.currency),
                "currency": charge.currency.lower(),
                "description": charge.label,
                "off_session": True,
                "confirm": True,
                "metadata": {"order": key},
            }
            intent = self._api.payment_intents.create(params, {"idempotency_key": key})
        if intent.status != "succeeded":
            raise Declined(f"The payment is {intent.status}.")
        return intent.id

    def forget(self, card: str, *, key: str) -> None:
        with _refusals(), _unless(lambda: self._api.payment_methods.retrieve(card).customer is None):
            self._api.payment_methods.detach(card, options={"idempotency_key": key})

    def session_of_event(self, body: bytes, signature: str) -> str:
        try:
            event = self._client.construct_event(body, signature, self._webhook_secret)
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise UnknownEvent from error
        if not event.type.startswith("checkout.session."):
            return ""
        return str(event.data.object["id"])


def stripe_amount(amount: int, currency: str) -> int:
    """An amount in minor units, in the unit in which Stripe counts this currency."""
    digits = 0 if currency in WHOLE_UNITS else 3 if currency in THOUSANDTHS else 2
    return int(money.decimal_of(amount, currency).scaleb(digits))


@lru_cache(maxsize=4)
def _provider(key: str, webhook_secret: str, base: str) -> StripeProvider:
    http = stripe.RequestsClient(timeout=TIMEOUT)
    addresses: Any = {"api": base} if base else {}
    client = stripe.StripeClient(key, base_addresses=addresses, max_network_retries=RETRIES, http_client=http)
    return StripeProvider(client, webhook_secret)


@contextmanager
def _refusals() -> Iterator[None]:
    """Translate the SDK's errors. Only what Stripe has refused for good is Declined."""
    try:
        yield
    except stripe.CardError as error:
        raise Declined(error.user_message or "The card was declined.") from error
    except stripe.InvalidRequestError as error:
        raise Declined(error.user_message or str(error)) from error
    except stripe.StripeError as error:
        raise ProviderUnavailable(type(error).__name__) from error


@contextmanager
def _unless(is_done: Callable[[], bool]) -> Iterator[None]:
    """Ignore a refusal if what was asked for is done already."""
    try:
        yield
    except stripe.InvalidRequestError:
        if not is_done():
            raise


def _all_named(found: Any, key: str) -> list[Any]:
    return [each for each in found.auto_paging_iter() if each.to_dict().get("metadata", {}).get("order") == key]


def _named(found: Any, key: str) -> bool:
    return bool(_all_named(found, key))
