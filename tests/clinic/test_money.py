"""Amounts and prices in words, in the reader's language and the clinic's currency."""

from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError
from django.utils import translation

from clinic import money
from clinic.models import HealthcareService
from tests.factories import ServiceFactory


@pytest.mark.parametrize(
    ("language", "country", "currency", "amount", "words"),
    [
        ("en", "US", "USD", 4000, "$40.00"),
        ("en", "US", "USD", 123456, "$1,234.56"),
        ("es", "US", "USD", 4000, "$40.00"),
        ("es", "ES", "EUR", 4000, "40,00 €"),
        ("en", "GB", "GBP", 5, "£0.05"),
        ("en", "GB", "EUR", 4000, "€40.00"),
        ("en", "JP", "JPY", 4000, "¥4,000"),
    ],
)
def test_an_amount_is_written_by_language_country_and_currency(settings, language, country, currency, amount, words):
    settings.CLINIC_COUNTRY = country
    with translation.override(language):
        assert money.text(amount, currency) == words


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, ""),
        ({"pricing": "fixed", "price": 4000}, "$40.00"),
        ({"pricing": "fixed", "price": 0}, "$0.00"),
        ({"pricing": "range", "price": 4000, "price_to": 9950}, "$40.00 – $99.50"),
        ({"pricing": "free"}, "Free of charge"),
        ({"pricing": "covered"}, "Paid by your insurance"),
    ],
)
def test_the_price_of_a_service_in_words(settings, columns, words):
    settings.CLINIC_COUNTRY, settings.CLINIC_CURRENCY = "US", ""
    assert money.price_text(HealthcareService(**columns)) == words


def test_the_currency_is_that_of_the_country_unless_it_is_set(settings):
    settings.CLINIC_COUNTRY, settings.CLINIC_CURRENCY = "CH", ""
    assert money.clinic_currency() == "CHF"
    settings.CLINIC_CURRENCY = "EUR"
    assert money.clinic_currency() == "EUR"


def test_a_setting_that_is_no_currency_stops_the_start():
    assert money.check_currency("CLINIC_CURRENCY", "eur") == "EUR"
    with pytest.raises(ImproperlyConfigured, match="USD or EUR, not 'XYZ'"):
        money.check_currency("CLINIC_CURRENCY", "XYZ")


@pytest.mark.parametrize("number", ["1.005", "-1", "20000000.01"])
def test_an_amount_that_cannot_be_stored_is_refused(number):
    with pytest.raises(ValueError, match=number):
        money.amount_of(Decimal(number), "USD")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns",
    [
        {"pricing": "fixed"},
        {"pricing": "free", "price": 1},
        {"price": 1},
        {"pricing": "fixed", "price": 1, "price_to": 2},
        {"pricing": "range", "price": 2, "price_to": 2},
        {"pricing": "range", "price": 2},
    ],
)
def test_the_database_keeps_amounts_and_kind_of_price_together(columns):
    with pytest.raises(IntegrityError, match="service_price_of_its_kind"):
        ServiceFactory(**columns)


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ([{"pricing": "fixed", "price": 4000}, {"pricing": "fixed", "price": 2550}], "$65.50"),
        ([{"pricing": "fixed", "price": 4000}, {"pricing": "range", "price": 100, "price_to": 200}], "$41.00 – $42.00"),
        ([{"pricing": "fixed", "price": 4000}, {"pricing": "free"}], "$40.00"),
        ([{"pricing": "free"}, {"pricing": "free"}], "Free of charge"),
        ([{"pricing": "fixed", "price": 4000}, {"pricing": "covered"}], ""),
        ([{"pricing": "fixed", "price": 4000}, {}], ""),
    ],
)
def test_the_price_of_several_visits_is_the_sum_if_each_is_an_amount(prices, words):
    assert money.total_text(HealthcareService(**columns) for columns in prices) == words
