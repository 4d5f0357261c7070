"""Roles that must sign in in two steps, and the reset of a second step that somebody lost."""

from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, SecondFactorRule, StaffRole, User
from clinic.models.second_factor import AnyRole
from scheduling import second_factors
from scheduling.access import Caller, Role
from scheduling.errors import Forbidden, VersionConflict
from tests.factories import LaunchFactory, UserFactory
from tests.portal.account.test_second_step import SECURITY, STEP, add_app, sign_in

pytestmark = pytest.mark.django_db

PAGE, ACCOUNTS = "/staff/setup/accounts/second-step/", "/staff/setup/accounts/"
REQUIRED = "/accounts/second-step/required/"
AT_ONCE = timedelta()


def with_role(role: str, **fields) -> User:
    user = UserFactory(**fields)
    StaffRole.objects.create(user=user, role=role)
    return user


def require(*roles: str, since=timedelta(minutes=-1)) -> None:
    moment = timezone.now() + since
    SecondFactorRule.objects.bulk_create(SecondFactorRule(role=role, required_from=moment) for role in roles)


def version() -> str:
    return second_factors.version_of(SecondFactorRule.objects.all())


@pytest.fixture
def as_manager(client):
    client.force_login(with_role("manager"))
    return client


def test_every_role_of_staff_can_be_required():
    assert {role.value for role in Role} == set(AnyRole.values)


def test_a_manager_says_which_roles_must(as_manager):
    page = as_manager.get(PAGE)
    assertContains(page, "No role has to use it yet.")
    assertNotContains(page, 'value="owner"')
    sent = {"roles": ["manager", "front-desk"], "grace": "7", "version": version()}
    assertRedirects(as_manager.post(PAGE, sent), ACCOUNTS)
    rules = {rule.role: rule.required_from for rule in SecondFactorRule.objects.all()}
    assert set(rules) == {"manager", "front-desk"}
    assert timedelta(days=6) < rules["manager"] - timezone.now() <= timedelta(days=7)
    line = AuditEvent.objects.get()
    assert (line.subtype, line.query) == ("require-second-step", "front-desk,manager")
    assertContains(as_manager.get(ACCOUNTS), "Must add a second step.")

    later = {"roles": ["manager", "billing"], "grace": "0", "version": version()}
    as_manager.post(PAGE, later)
    assert SecondFactorRule.objects.get(role="manager").required_from == rules["manager"]
    assert set(SecondFactorRule.objects.values_list("role", flat=True)) == {"manager", "billing"}


def test_two_managers_do_not_overwrite_each_other(as_manager):
    seen = version()
    require("billing")
    page = as_manager.post(PAGE, {"roles": ["reader"], "grace": "0", "version": seen})
    assertContains(page, "Somebody else has changed this in the meantime.", status_code=422)
    assertContains(page, 'value="reader" id="id_roles_5" checked', status_code=422)
    assert SecondFactorRule.objects.get().role == "billing"
    with pytest.raises(VersionConflict):
        second_factors.require_of(
            {Role.READER}, grace=AT_ONCE, version=seen, caller=Caller(user=with_role("owner")), now=timezone.now()
        )


def test_a_manager_does_not_decide_about_owners_and_administrators(as_manager):
    require("owner")
    as_manager.post(PAGE, {"roles": ["administrator", "reader"], "grace": "0", "version": version()})
    assert [rule.role for rule in SecondFactorRule.objects.all()] == ["owner"]
    as_manager.post(PAGE, {"roles": ["reader"], "grace": "0", "version": version()})
    assert [rule.role for rule in SecondFactorRule.objects.all()] == ["owner", "reader"]
    with pytest.raises(Forbidden):
        second_factors.require_of(
            set(), grace=AT_ONCE, version=version(), caller=Caller(user=with_role("manager")), now=timezone.now()
        )


@pytest.mark.parametrize("role", ["administrator", "front-desk", "practitioner", "reader"])
def test_whoever_must_reaches_nothing_before_it(client, role, rana, chen):
    user = {
        "administrator": lambda: UserFactory(is_superuser=True, is_staff=True),
        "front-desk": lambda: rana,
        "practitioner": lambda: chen.user,
        "reader": lambda: with_role("reader"),
    }[role]()
    client.force_login(user)
    assert client.get("/staff/hours/").status_code == 200
    assert client.get("/fhir/R4/Schedule", headers={"accept": "application/json"}).status_code == 200
    require(role)
    for address in ("/", "/start/", "/staff/", "/staff/hours/", "/admin/", "/appointments/", "/oauth/authorize/"):
        assertRedirects(client.get(address), REQUIRED)
    assertRedirects(client.post(f"{ACCOUNTS}invite/", {}), REQUIRED)
    refused = client.get("/fhir/R4/Schedule", headers={"accept": "application/json"})
    assert refused.status_code == 403
    assert refused.json()["resourceType"] == "OperationOutcome"
    assertContains(client.get(REQUIRED), "Before you go on, choose the second one.")
    assert client.get(SECURITY).status_code == 200

    add_app(client)
    assert client.get("/staff/hours/").status_code == 200
    assertRedirects(client.get(REQUIRED), "/start/", fetch_redirect_response=False)


def test_others_are_not_concerned(client, ada, rana):
    require("manager", "practitioner", "administrator")
    for user in (ada.user, rana):
        client.force_login(user)
        assert client.get(SECURITY).status_code == 200
        assert client.get("/appointments/").status_code in (200, 302)
        assert "required" not in client.get("/appointments/").get("Location", "")


def test_the_app_of_such_a_person_has_no_access_either(client, chen):
    token = LaunchFactory(user=chen.user, scope="user/Schedule.rs").access_token.token
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/fhir/R4/Schedule", headers=headers).status_code == 200
    require("practitioner", since=timedelta(days=1))
    assert client.get("/fhir/R4/Schedule", headers=headers).status_code == 200
    SecondFactorRule.objects.update(required_from=timezone.now())
    assert client.get("/fhir/R4/Schedule", headers=headers).status_code == 401


def test_during_the_grace_people_are_reminded_when_they_sign_in(client, rana):
    require("front-desk", since=timedelta(days=3))
    sign_in(client, rana)
    assertRedirects(client.get("/start/"), REQUIRED)
    page = client.get(REQUIRED)
    assertContains(page, "the clinic requires that you sign in in two steps.")
    assertContains(page, 'href="/staff/today/"')
    assert client.get("/staff/hours/").status_code == 200


def test_the_requirement_costs_no_statement(as_rana, django_assert_num_queries):
    with django_assert_num_queries(3):  # the session, its account, and whose language it is
        as_rana.post("/language/", {"language": "en"})


def test_whoever_must_and_has_a_passkey_alone_is_asked_for_it(client, rana):
    Authenticator.objects.create(user=rana, type="webauthn", data={"name": "My phone", "credential": {}})
    sign_in(client, rana)
    assert client.get("/staff/hours/").status_code == 200
    require("front-desk")
    assert client.get("/staff/hours/").status_code == 200
    other = Client()
    assert sign_in(other, rana).url == STEP
    assert other.get("/staff/hours/").url.startswith("/accounts/login/")


def test_a_manager_resets_what_a_colleague_lost(as_manager, rana):
    browser = Client()
    browser.force_login(rana)
    add_app(browser)
    Authenticator.objects.create(user=rana, type="webauthn", data={"name": "My phone", "credential": {}})
    mail.outbox.clear()
    assertContains(as_manager.get(f"{ACCOUNTS}{rana.pk}/"), "Reset the second step")
    assertRedirects(as_manager.post(f"{ACCOUNTS}{rana.pk}/reset/"), ACCOUNTS)
    assert not Authenticator.objects.exists()
    assert browser.get("/staff/hours/").url.startswith("/accounts/login/")
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == ([rana.email], "Riverside Clinic: Your second step was reset")
    assert AuditEvent.objects.get().subtype == "reset-second-step"
    page = as_manager.post(f"{ACCOUNTS}{rana.pk}/reset/", follow=True)
    assertContains(page, "This account has no second step.")


def test_an_operator_resets_that_of_the_only_owner(db):
    owner = with_role("owner", email="owner@example.com")
    with pytest.raises(CommandError, match="has no second step"):
        call_command("reset_second_step", owner.email)
    with pytest.raises(CommandError, match="No account of staff"):
        call_command("reset_second_step", "ada@example.com")
    Authenticator.objects.create(user=owner, type="webauthn", data={"name": "My phone", "credential": {}})
    call_command("reset_second_step", "Owner@example.com", stdout=StringIO())
    assert not Authenticator.objects.exists()
    line = AuditEvent.objects.get()
    assert (line.subtype, line.client) == ("reset-second-step", "reset_second_step")


def test_nobody_resets_their_own_or_that_of_somebody_with_more_rights(as_manager, client):
    owner = with_role("owner")
    manager = User.objects.get(staff_roles__role="manager")
    for user in (owner, manager):
        Authenticator.objects.create(user=user, type="webauthn", data={"name": "My phone", "credential": {}})
        as_manager.post(f"{ACCOUNTS}{user.pk}/reset/")
    assert Authenticator.objects.count() == 2
