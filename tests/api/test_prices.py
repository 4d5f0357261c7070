"""Prices in a HealthcareService's JSON: what software writes, pages say, and the other way round."""

import pytest
from django.conf import settings

from clinic.fhir import codes
from clinic.models import HealthcareService
from tests.api.conftest import texts

pytestmark = pytest.mark.django_db


def served(url):
    """Return the address of one of our extensions as this server writes it."""
    return url.replace(codes.OURS, settings.FHIR_CANONICAL_BASE)


def priced(kind, **amounts):
    """A service with a kind of price and amounts in dollars."""
    urls = {"price": codes.PRICE, "highest": codes.HIGHEST_PRICE}
    return {
        "resourceType": "HealthcareService",
        "name": "Knee",
        "extension": [
            {"url": served(codes.PRICING), "valueCode": kind},
            *({"url": served(urls[name]), "valueMoney": value} for name, value in amounts.items()),
        ],
    }


def usd(value):
    return {"value": value, "currency": "USD"}


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (priced("fixed", price=usd(40)), ("fixed", 4000, None)),
        (priced("range", price=usd(40), highest=usd(99.5)), ("range", 4000, 9950)),
        (priced("free"), ("free", None, None)),
        (priced("covered"), ("covered", None, None)),
    ],
)
def test_software_writes_and_reads_a_price(api, body, columns):
    response = api.post("HealthcareService", body)
    assert response.status_code == 201, response.fhir
    service = HealthcareService.objects.get()
    assert (service.pricing, service.price, service.price_to) == columns
    assert api.get(service.reference).fhir["extension"] == body["extension"]


@pytest.mark.parametrize(
    ("body", "at", "says"),
    [
        (priced("fixed", price={"value": 40, "currency": "EUR"}), "currency", "in the clinic's currency, USD"),
        (priced("fixed", price=usd(40.005)), "value", "2 digits after the point"),
        (priced("fixed", price=usd(-1)), "value", "not negative"),
        (priced("gift"), "valueCode", "not one of fixed, range, free, covered"),
        (priced("fixed"), "", "A fixed price has one amount"),
        (priced("range", price=usd(40), highest=usd(30)), "", "the lower one first"),
    ],
)
def test_a_price_that_cannot_be_is_refused_with_the_reason(api, body, at, says):
    response = api.post("HealthcareService", body)
    assert response.status_code in (400, 422), response.fhir
    assert says in texts(response)
    assert not at or response.fhir["issue"][0]["expression"][0].endswith(at)
    assert not HealthcareService.objects.exists()


def test_a_minimum_age_above_the_maximum_is_refused_with_the_reason(api):
    ages = ((codes.MINIMUM_AGE, 12), (codes.MAXIMUM_AGE, 8))
    extensions = [{"url": served(url), "valueUnsignedInt": years} for url, years in ages]
    response = api.post(
        "HealthcareService", {"resourceType": "HealthcareService", "name": "Knee", "extension": extensions}
    )
    assert response.status_code == 422, response.fhir
    assert "The minimum age is above the maximum age." in texts(response)
