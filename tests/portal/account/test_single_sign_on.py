"""Single sign-on of staff by OpenID Connect, with a provider that runs for the test."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, SecondFactorRule, StaffInvitation, User
from clinic.single_sign_on import SingleSignOn, check
from scheduling import staff_accounts
from scheduling.access import Caller, HeldRole, Role
from scheduling.staff_accounts import NewPerson
from tests import openid_provider
from tests.portal.account.test_second_step import STEP, add_app, is_signed_in

pytestmark = pytest.mark.django_db

LOGIN, BEGIN, CALLBACK = "/accounts/login/", "/accounts/single-sign-on/", "/accounts/single-sign-on/callback/"
RANA = {"sub": "00u1", "email": "Rana@example.com", "email_verified": True}


@pytest.fixture
def provider(settings):
    with openid_provider.running(settings) as local:
        local.claims = RANA
        yield local


@pytest.fixture
def rana(rana):
    EmailAddress.objects.create(user=rana, email=rana.email, verified=True, primary=True)
    return rana


def sign_in(client, provider, **more):
    """Go to the provider and back; return the page to which that leads."""
    return client.get(provider.sign_in(client.post(BEGIN, more)["Location"]))


def is_refused(client, provider, text: str) -> bool:
    page = sign_in(client, provider)
    assertRedirects(page, LOGIN, fetch_redirect_response=False)
    assertContains(client.get(LOGIN), text)
    return not is_signed_in(client)


def test_staff_sign_in_at_the_provider_and_come_back_to_where_they_were(client, provider, rana):
    page = client.get(f"{LOGIN}?next=/staff/hours/")
    assertContains(page, "Staff: sign in with Okta")
    assert f"form-action 'self' {provider.issuer};" in page["Content-Security-Policy"]
    assertRedirects(sign_in(client, provider, next="/staff/hours/"), "/staff/hours/")
    assert is_signed_in(client)
    assert AuditEvent.objects.get().subtype == "link-single-sign-on"


def test_without_the_settings_there_is_none(client, db):
    assertNotContains(client.get(LOGIN), "Staff: sign in")
    assert client.post(BEGIN).status_code == 404
    assert client.get(CALLBACK).status_code == 404


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
def test_patients_and_strangers_are_not_let_in_and_not_signed_up(client, provider, ada, email):
    EmailAddress.objects.create(user=ada.user, email=ada.user.email, verified=True, primary=True)
    provider.claims = {**RANA, "email": email}
    count = User.objects.count()
    assert is_refused(client, provider, "There is no staff account for you here.")
    assert User.objects.count() == count
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": "true"}, {"email": ""}])
def test_an_address_that_the_provider_has_not_verified_finds_no_account(client, provider, rana, claims):
    provider.claims = {**RANA, **claims}
    assert is_refused(client, provider, "did not confirm your email address")


def test_an_address_that_its_owner_has_not_proven_here_finds_no_account(client, provider, rana):
    EmailAddress.objects.update(verified=False)
    assert is_refused(client, provider, "There is no staff account for you here.")


def test_the_claim_with_the_address_is_chosen_and_may_come_from_userinfo(client, settings, rana):
    with openid_provider.running(settings, email_claim="upn", proves_email=True) as provider:
        provider.claims, provider.userinfo = {"sub": "1"}, {"upn": rana.email}
        sign_in(client, provider)
        assert is_signed_in(client)
        other = Client()
        provider.claims, provider.userinfo = {"sub": "2"}, {"sub": "1", "upn": rana.email}
        assert is_refused(other, provider, "did not confirm your email address")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://another.example"},
        {"exp": int(time.time()) - 60},
    ],
    ids=["nonce", "audience", "issuer", "expired"],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(client, provider, rana, claims):
    provider.claims = {**RANA, **claims}
    assert is_refused(client, provider, "Okta did not sign you in.")


def test_a_token_that_another_has_signed_is_refused(client, provider, rana):
    provider.key = openid_provider.OTHER_KEY
    assert is_refused(client, provider, "Okta did not sign you in.")


def test_a_callback_works_once_and_only_in_the_browser_that_asked(client, provider, rana):
    callback = provider.sign_in(client.post(BEGIN)["Location"])
    stranger = Client()
    assertRedirects(stranger.get(callback), LOGIN, fetch_redirect_response=False)
    client.get(callback)
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assertRedirects(client.get(callback), LOGIN, fetch_redirect_response=False)
    assert not is_signed_in(client)
    assert not is_signed_in(stranger)


def test_a_refusal_at_the_provider_leads_back_to_the_sign_in_page(client, provider, rana):
    client.post(BEGIN)
    assertRedirects(client.get(f"{CALLBACK}?error=access_denied&state=x"), LOGIN, fetch_redirect_response=False)
    assertContains(client.get(LOGIN), "Okta did not sign you in.")


def test_a_provider_that_is_away_leads_back_too(client, settings, db):
    with openid_provider.running(settings):
        pass
    assertRedirects(client.post(BEGIN), LOGIN, fetch_redirect_response=False)


def test_the_person_is_known_by_their_id_from_then_on(client, provider, rana):
    sign_in(client, provider)
    provider.claims = {**RANA, "email": "rana.new@example.com"}
    renamed = Client()
    sign_in(renamed, provider)
    assert is_signed_in(renamed)
    provider.claims = {**RANA, "sub": "00u2"}
    assert is_refused(Client(), provider, "belongs to somebody else at your organisation")


def test_an_invitation_is_accepted_by_it_while_it_lasts(client, provider, alex):
    person = NewPerson("rana@example.com", roles=frozenset({HeldRole(Role.READER)}))
    user, _token = staff_accounts.invite(person, caller=Caller(user=alex), now=timezone.now())
    StaffInvitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert is_refused(client, provider, "Your account is not active.")
    StaffInvitation.objects.update(expires=timezone.now() + timedelta(days=1))
    sign_in(client, provider)
    assert is_signed_in(client)
    user.refresh_from_db()
    assert (user.is_active, user.has_usable_password()) == (True, False)
    assert not StaffInvitation.objects.exists()


def test_a_deactivated_account_is_not_let_in_and_ends_in_mid_session(client, provider, rana):
    sign_in(client, provider)
    User.objects.filter(pk=rana.pk).update(is_active=False)
    assert not is_signed_in(client)
    assert is_refused(Client(), provider, "Your account is not active.")


def test_who_is_no_longer_staff_is_not_let_in(client, provider, rana):
    sign_in(client, provider)
    rana.desk_locations.clear()
    assert is_refused(Client(), provider, "There is no staff account for you here.")


@pytest.mark.parametrize("is_second_step", [False, True])
def test_the_second_step_is_asked_for_unless_the_provider_does(client, settings, rana, is_second_step):
    SecondFactorRule.objects.create(role="front-desk", required_from=timezone.now())
    with openid_provider.running(settings, is_second_step=is_second_step) as provider:
        provider.claims = RANA
        sign_in(client, provider)
        assert (client.get("/staff/hours/").status_code == 200) is is_second_step
        SecondFactorRule.objects.all().delete()
        client.force_login(rana)
        add_app(client)
        other = Client()
        assert (sign_in(other, provider)["Location"] == STEP) is not is_second_step
        assert is_signed_in(other) is is_second_step


def test_another_account_in_the_same_browser_is_signed_out_first(client, provider, rana, ada):
    client.force_login(ada.user)
    sign_in(client, provider)
    assertContains(client.get("/accounts/security/"), rana.email)


def test_a_session_of_single_sign_on_ends_when_it_is_switched_off(client, provider, rana, settings):
    sign_in(client, provider)
    settings.SINGLE_SIGN_ON = None
    assert not is_signed_in(client)


VALID = SingleSignOn("https://id.example.com", "id", "secret", "", "email", proves_email=False, is_second_step=False)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"issuer": "http://id.example.com"}, "ISSUER"),
        ({"issuer": "http://127.0.0.1:9"}, "ISSUER"),
        ({"issuer": "id.example.com"}, "ISSUER"),
        ({"issuer": "https://id.example.com?x=1"}, "ISSUER"),
        ({"client_id": ""}, "CLIENT_ID"),
        ({"secret": ""}, "CLIENT_SECRET"),
        ({"email_claim": ""}, "EMAIL_CLAIM"),
    ],
)
def test_unsafe_settings_stop_the_start(changes, name):
    with pytest.raises(ImproperlyConfigured, match=f"SINGLE_SIGN_ON_{name}"):
        check(replace(VALID, **changes), is_demo=False)


def test_safe_settings_name_the_provider_by_its_host():
    assert check(replace(VALID, issuer=""), is_demo=False) is None
    assert check(VALID, is_demo=False).name == "id.example.com"
