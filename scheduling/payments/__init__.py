"""Payments: the provider that takes them, the terms that patients agree to, and how much is given back.

The provider is asked outside of every transaction: scheduling.booking.checkout and scheduling.booking.payment_orders.
"""

from scheduling.payments.balance import (
    PAYABLE,
    Account,
    Balance,
    accounts_of,
    balance_of,
    balances_of,
    settled_otherwise,
    taken_at_desk,
)
from scheduling.payments.provider import (
    CardCharge,
    Checkout,
    CheckoutRequest,
    CheckoutResult,
    CheckoutState,
    Declined,
    PaymentProvider,
    ProviderUnavailable,
    UnknownEvent,
    checkout_origin,
    is_set_up,
    provider,
)
from scheduling.payments.terms import Terms, balance_terms, fee_of, is_late, purpose_of, refund_of, sum_of, terms_of

__all__ = [
    "PAYABLE",
    "Account",
    "Balance",
    "CardCharge",
    "Checkout",
    "CheckoutRequest",
    "CheckoutResult",
    "CheckoutState",
    "Declined",
    "PaymentProvider",
    "ProviderUnavailable",
    "Terms",
    "UnknownEvent",
    "accounts_of",
    "balance_of",
    "balance_terms",
    "balances_of",
    "checkout_origin",
    "fee_of",
    "is_late",
    "is_set_up",
    "provider",
    "purpose_of",
    "refund_of",
    "settled_otherwise",
    "sum_of",
    "taken_at_desk",
    "terms_of",
]
