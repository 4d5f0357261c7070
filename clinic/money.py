"""Amounts of money and prices of services.

Amounts are stored in the minor unit of the currency, such as cents. Tax is not computed: an amount is what is paid.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from babel.numbers import get_currency_precision, get_territory_currencies, list_currencies
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from clinic import formats
from clinic.country import clinic_country

if TYPE_CHECKING:
    from clinic.models import HealthcareService

_AMOUNTS = ("free", "fixed", "range")  # the kinds of price that have one
MOST = 2_000_000_000  # in minor units: what an integer column holds


def check_currency(name: str, currency: str) -> str:
    """Return the currency code of the setting `name` in capitals; empty if not set. Raises ImproperlyConfigured."""
    if currency and currency.upper() not in list_currencies():
        raise ImproperlyConfigured(f"{name} must be a currency's ISO 4217 code such as USD or EUR, not {currency!r}.")
    return currency.upper()


def clinic_currency() -> str:
    """Return the code of the clinic's currency: CLINIC_CURRENCY, or that of its country."""
    return settings.CLINIC_CURRENCY or next(iter(get_territory_currencies(clinic_country())), "USD")


def digits(currency: str) -> int:
    """Return the number of digits after the decimal point: 2 for dollars, 0 for yen."""
    return get_currency_precision(currency)


def decimal_of(amount: int, currency: str) -> Decimal:
    """Return an amount in minor units as a number of the currency's unit: 4050 cents are 40.50."""
    return Decimal(amount).scaleb(-digits(currency))


def amount_of(number: Decimal, currency: str) -> int:
    """Return a number of the currency's unit in minor units. Raises ValueError if it is finer or out of range."""
    amount = number.scaleb(digits(currency))
    if amount != amount.to_integral_value() or not 0 <= amount <= MOST:
        raise ValueError(f"{number} {currency} cannot be stored.")
    return int(amount)


def text(amount: int, currency: str = "") -> str:
    """Return an amount in minor units in the reader's language: $40.00, 40,00 €."""
    currency = currency or clinic_currency()
    return formats.money(decimal_of(amount, currency), currency)


def price_text(service: "HealthcareService | None") -> str:
    """Return the price of a service in words, such as `$40.00`; empty if the clinic does not say it."""
    if service is None or not service.pricing:
        return ""
    kinds = service.Pricing
    match service.pricing:
        case kinds.FREE:
            return _("Free of charge")
        case kinds.COVERED:
            return _("Paid by your insurance")
    low, high = service.price or 0, service.price_to
    return text(low) if high is None else formats.between(text(low), text(high))


def total_text(services: "Iterable[HealthcareService | None]") -> str:
    """Return the price of several visits together in words; empty if that of one of them is not an amount."""
    low = high = 0
    for service in services:
        if service is None or service.pricing not in _AMOUNTS:
            return ""
        low += service.price or 0
        high += service.price_to or service.price or 0
    if not high:
        return _("Free of charge")
    return text(low) if low == high else formats.between(text(low), text(high))
