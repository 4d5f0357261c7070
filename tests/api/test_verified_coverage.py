"""Verified coverage as software and patients write it: only the clinic says that it is verified."""

import pytest

from clinic.fhir.codes import COVERAGE_REJECTION, COVERAGE_VERIFICATION
from clinic.fhir.resources import to_fhir
from tests.api.conftest import Api
from tests.factories import CoverageFactory, UserFactory

VERIFIED = [{"url": COVERAGE_VERIFICATION, "valueCode": "verified"}]


@pytest.fixture
def coverage(ada):
    return CoverageFactory(beneficiary=ada, verification="verified", verification_reason="")


def put(api, coverage, **elements):
    response = api.put(coverage.reference, {**to_fhir(coverage), **elements})
    coverage.refresh_from_db()
    assert response.status_code == 200, response.fhir
    return coverage.verification


@pytest.mark.parametrize(
    ("elements", "verification"),
    [
        ({}, "verified"),
        ({"subscriberId": "M-9"}, "declared"),
        ({"payor": [{"display": "Other"}]}, "declared"),
        ({"order": 2}, "verified"),
    ],
)
def test_what_a_patient_writes_keeps_the_check_of_an_unchanged_card(ada, coverage, elements, verification):
    assert put(Api(user=ada.user), coverage, **elements) == verification


def test_patients_verify_nothing(ada, coverage):
    coverage.verification = "rejected"
    coverage.verification_reason = "It has expired."
    coverage.save()
    assert put(Api(user=ada.user), coverage, extension=VERIFIED) == "rejected"
    new = {**to_fhir(CoverageFactory.build(beneficiary=ada)), "extension": VERIFIED}
    new.pop("id", None)
    created = Api(user=ada.user).post("Coverage", new)
    assert (created.status_code, created.fhir.get("extension")) == (201, None)


def test_the_desk_and_software_write_it(site, coverage):
    desk = Api(user=UserFactory(desk_locations=[site]))
    rejected = [
        {"url": COVERAGE_VERIFICATION, "valueCode": "rejected"},
        {"url": COVERAGE_REJECTION, "valueString": "It has expired."},
    ]
    assert put(desk, coverage, extension=rejected) == "rejected"
    assert coverage.verification_reason == "It has expired."
    assert put(desk, coverage, extension=VERIFIED) == "verified"
