"""The interface of payment providers. Card data is typed on the provider's own page and never reaches this server."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.conf import settings


class ProviderUnavailable(Exception):
    """The provider gave no answer, or none that says what happened. The same request can be sent again."""


class Declined(Exception):
    """The provider has refused for good. The message is a sentence for staff, without card data."""


class UnknownEvent(Exception):
    """A webhook without a valid signature of the provider."""


class CheckoutState(StrEnum):
    """The state of a page on which a patient pays. A `DONE` payment is reserved on the card and not taken yet."""

    OPEN = "open"
    DONE = "done"
    OVER = "over"


@dataclass(frozen=True, kw_only=True)
class CheckoutRequest:
    """A request for a page on which a patient pays, or leaves a card if the `amount` is 0.

    `key` is the reference of the Payment: a repeated request returns the same page. `label` is what the page and the
    account statement name; it says nothing about health.
    """

    key: str
    amount: int
    currency: str
    label: str
    language: str
    email: str
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Checkout:
    """A page on which a patient pays: the provider's id for it, and its address."""

    session: str
    url: str


@dataclass(frozen=True, kw_only=True)
class CheckoutResult:
    """The outcome of a page, with the provider's ids of the reserved amount or of the kept card."""

    state: CheckoutState
    intent: str = ""
    customer: str = ""
    card: str = ""


@dataclass(frozen=True, kw_only=True)
class CardCharge:
    """A charge of a kept card while the patient is not there."""

    customer: str
    card: str
    amount: int
    currency: str
    label: str


class PaymentProvider(Protocol):
    """A payment provider. Each method is one request, or raises ProviderUnavailable or Declined.

    Requests with a `key` have an effect once, however often they are sent; `again` is True if they may have been sent
    before.
    """

    def open_checkout(self, request: CheckoutRequest) -> Checkout: ...

    def read_checkout(self, session: str) -> CheckoutResult: ...

    def end_checkout(self, session: str) -> None:
        """Close a page that is still open; nothing happens to another."""

    def capture(self, intent: str, *, key: str) -> None: ...

    def release(self, intent: str, *, key: str) -> None: ...

    def refund(self, intent: str, amount: int, currency: str, *, key: str, again: bool) -> None: ...

    def charge(self, charge: CardCharge, *, key: str, again: bool) -> str:
        """Charge a kept card and return the provider's id of the payment."""

    def forget(self, card: str, *, key: str) -> None: ...

    def session_of_event(self, body: bytes, signature: str) -> str:
        """The page that a webhook is about; empty for other events. Raises UnknownEvent."""


def is_set_up() -> bool:
    """True if patients can pay here."""
    return bool(settings.PAYMENT_PROVIDER)


def provider() -> PaymentProvider:
    """The provider of the settings."""
    from scheduling.payments.stripe_provider import StripeProvider  # the SDK takes half a second to import

    return StripeProvider.from_settings()


def checkout_origin() -> str:
    """The origin of the provider's pages, to which a form of ours may lead."""
    return settings.STRIPE_API_BASE or "https://checkout.stripe.com"
