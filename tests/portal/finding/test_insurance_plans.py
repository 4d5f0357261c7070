"""Insurance plans that the clinic accepts: the services, the times and a patient's own insurance by them."""

import pytest
from django.http import QueryDict
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Coverage
from portal.details.forms import CoverageForm
from portal.finding import filters
from portal.finding.times import read_menu
from tests.factories import (
    EVERY_DAY,
    InsurancePlanFactory,
    LocationFactory,
    OrganizationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db):
    return OrganizationFactory(name="Acme Health")


def test_services_that_the_plan_pays(client, acme):
    cleaning, surgery = ServiceFactory(name="Cleaning"), ServiceFactory(name="Surgery")
    for service in (cleaning, surgery):
        ScheduleFactory(services=[service])
    assertNotContains(client.get("/"), "I am insured with")
    gold = InsurancePlanFactory(payer=acme, name="Gold", services=[cleaning])
    InsurancePlanFactory(name="Whole")
    InsurancePlanFactory(name="Former", services=[surgery], status="retired")
    page = client.get("/")
    assertContains(page, "I am insured with")
    assertContains(page, "Acme Health, Gold")
    assertNotContains(page, "Former")
    found = client.get("/", {"plan": gold.fhir_id}).context["catalogue"].found
    assert [service.name for service in found] == ["Cleaning"]


@pytest.mark.parametrize(
    ("plan", "who"), [("main", {"Chen"}), ("everywhere", {"Chen", "Okafor"}), ("", {"Chen", "Okafor"})]
)
def test_times_at_the_sites_where_the_plan_is_accepted(site, plan, who):
    service, park = ServiceFactory(hours=EVERY_DAY), LocationFactory(name="Park")
    for family, where in (("Chen", site), ("Okafor", park)):
        ScheduleFactory(actor=PractitionerFactory(family=family), services=[service], site=where)
    InsurancePlanFactory(fhir_id="main", locations=[site])
    InsurancePlanFactory(fhir_id="everywhere")
    InsurancePlanFactory(fhir_id="other", services=[ServiceFactory()])
    read = filters.read_filters(read_menu(service), QueryDict(f"plan={plan}"), None)
    assert {option.value for option in read.each["plan"].options} == {"main", "everywhere"}
    assert {each.actor_name.split()[-1] for each in read.narrowed().all_offerings} == who


def test_plans_that_differ_in_nothing_are_no_filter(site):
    service = ServiceFactory(hours=EVERY_DAY)
    ScheduleFactory(services=[service], site=site)
    for _ in range(2):
        InsurancePlanFactory()
    read = filters.read_filters(read_menu(service), QueryDict(), None)
    assert "plan" not in [each.name for each in read.visible]


def test_an_insurance_names_its_plan_and_with_it_the_insurer(as_ada, ada, acme):
    plan = InsurancePlanFactory(payer=acme, name="Gold")
    address = f"/my-details/{ada.fhir_id}/insurance/"
    assertContains(as_ada.post(address, {"member": "M-1"}, follow=True), "Enter the name of the insurer.")
    as_ada.post(address, {"accepted": plan.fhir_id, "member": "M-1"})
    coverage = Coverage.objects.get()
    assert (coverage.insurance_plan, coverage.payor) == (
        plan,
        [{"reference": acme.reference, "display": "Acme Health"}],
    )
    assert CoverageForm.initial_of(coverage)["accepted"] == plan.fhir_id
    as_ada.post(f"{address}{coverage.fhir_id}/", {"accepted": "", "payor": "Other", "member": "M-1"})
    coverage.refresh_from_db()
    assert (coverage.insurance_plan, coverage.payor) == (None, [{"display": "Other"}])
