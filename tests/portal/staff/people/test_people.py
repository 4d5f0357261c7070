"""Staff accounts: invitations, roles, deactivation and the end of sessions."""

from datetime import timedelta
from functools import partial

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import AuditEvent, StaffInvitation, StaffRole, User
from scheduling import staff_accounts
from scheduling.access import Caller, HeldRole, Role
from scheduling.errors import Forbidden, RuleBroken, VersionConflict
from scheduling.staff_accounts import NewPerson
from tests.factories import UserFactory
from tests.portal.account.test_second_step import is_signed_in, sign_in
from tests.portal.account.test_sessions import AGENTS
from tests.scheduling.situations import at_once

pytestmark = pytest.mark.django_db
PEOPLE = "/staff/setup/accounts/"
PASSWORD = "a password of their own"
PHONE = AGENTS["Safari on iPhone"]


def with_role(role: str, **fields):
    user = UserFactory(**fields)
    StaffRole.objects.create(user=user, role=role)
    return user


@pytest.fixture
def manager(db):
    return with_role("manager")


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def link() -> str:
    """The path of the link in the latest email."""
    words = mail.outbox[-1].body.split()
    return next("/" + word.split("/", 3)[3] for word in words if "/joining/" in word)


def test_an_invited_person_chooses_a_password_and_has_the_roles(as_manager, site):
    as_manager.post(f"{PEOPLE}invite/", {"email": "Kim@example.com", "given": "Kim", "desks": [site.pk]})
    user = User.objects.get(email="kim@example.com")
    assert not user.is_active
    assert Caller(user=user).roles == (HeldRole(Role.FRONT_DESK, site.pk),)

    browser, address = Client(), link()
    assert browser.post(address, {"password": "short"}, follow=True).status_code == 422
    assert browser.post(address, {"password": PASSWORD}).url == "/accounts/login/"
    assert browser.login(email="kim@example.com", password=PASSWORD)
    assert browser.get("/staff/hours/").status_code == 200
    assert Client().get(address).status_code == 410
    lines = AuditEvent.objects.order_by("pk").values_list("subtype", "query")
    assert list(lines) == [
        ("invite-staff", "kim@example.com front-desk"),
        ("accept-invitation", "kim@example.com front-desk"),
    ]


def test_a_new_link_ends_the_earlier_one_and_a_withdrawn_one_opens_nothing(as_manager):
    as_manager.post(f"{PEOPLE}invite/", {"email": "kim@example.com", "roles": ["reader"]})
    user, first = User.objects.get(email="kim@example.com"), link()
    as_manager.post(f"{PEOPLE}{user.pk}/invite/")
    second = link()
    assert [Client().get(address).status_code for address in (first, second)] == [410, 200]
    as_manager.post(f"{PEOPLE}{user.pk}/withdraw/")
    assert Client().get(second).status_code == 410
    assert not Caller(user=user).is_staff
    assert not User.objects.get(pk=user.pk).is_active


def test_an_invitation_ends_after_seven_days(as_manager):
    as_manager.post(f"{PEOPLE}invite/", {"email": "kim@example.com", "roles": ["reader"]})
    StaffInvitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert Client().post(link(), {"password": PASSWORD}).status_code == 410
    assert "The invitation has ended." in as_manager.get(PEOPLE).content.decode()


def test_an_account_that_nobody_has_proven_gets_no_role(manager):
    UserFactory(email="kim@example.com")
    person = NewPerson("kim@example.com", roles=frozenset({HeldRole(Role.READER)}))
    with pytest.raises(RuleBroken):
        staff_accounts.invite(person, caller=Caller(user=manager), now=timezone.now())
    assert not StaffRole.objects.filter(user__email="kim@example.com").exists()


@pytest.mark.parametrize("role", ["owner", "administrator"])
def test_a_manager_touches_no_account_with_more_rights(role, as_manager):
    above = with_role("owner") if role == "owner" else UserFactory(is_superuser=True)
    before = above.password, above.is_active, above.ended_sessions
    page = as_manager.get(f"{PEOPLE}{above.pk}/").content.decode()
    assert "rights that you do not have" in page
    as_manager.post(f"{PEOPLE}{above.pk}/active/", {"active": "no"})
    as_manager.post(f"{PEOPLE}{above.pk}/sessions/")
    version = staff_accounts.version_of(above)
    as_manager.post(f"{PEOPLE}{above.pk}/", {"version": version, "roles": ["reader"]})
    above = User.objects.get(pk=above.pk)
    assert (above.password, above.is_active, above.ended_sessions) == before
    assert staff_accounts.version_of(above) == version


def test_a_manager_makes_no_owner(as_manager, manager):
    other = with_role("reader")
    as_manager.post(f"{PEOPLE}{other.pk}/", {"version": staff_accounts.version_of(other), "roles": ["owner"]})
    assert [held.role for held in Caller(user=other).roles] == [Role.READER]
    with pytest.raises(Forbidden):
        staff_accounts.set_roles(
            other.pk,
            {HeldRole(Role.OWNER)},
            version=staff_accounts.version_of(other),
            caller=Caller(user=manager),
            now=timezone.now(),
        )


def test_the_last_owner_stays(client):
    owner, colleague = with_role("owner"), with_role("owner", is_active=False)
    client.force_login(owner)
    version = staff_accounts.version_of(owner)
    answer = client.post(f"{PEOPLE}{owner.pk}/", {"version": version, "roles": ["manager"]})
    assert "The clinic needs an owner." in answer.content.decode()
    assert [held.role for held in Caller(user=owner).roles] == [Role.OWNER]
    User.objects.filter(pk=colleague.pk).update(is_active=True)
    client.post(f"{PEOPLE}{owner.pk}/", {"version": version, "roles": ["manager"]})
    assert [held.role for held in Caller(user=owner).roles] == [Role.MANAGER]


def test_two_managers_do_not_overwrite_each_other(as_manager, manager):
    other = with_role("reader")
    version = staff_accounts.version_of(other)
    as_manager.post(f"{PEOPLE}{other.pk}/", {"version": version, "roles": ["billing"]})
    answer = as_manager.post(f"{PEOPLE}{other.pk}/", {"version": version, "roles": ["manager"]})
    assert "Somebody else has changed this account in the meantime" in answer.content.decode()
    assert [held.role for held in Caller(user=other).roles] == [Role.BILLING]
    with pytest.raises(VersionConflict):
        staff_accounts.set_roles(
            other.pk, {HeldRole(Role.READER)}, version=version, caller=Caller(user=manager), now=timezone.now()
        )


def test_a_deactivated_account_is_signed_out_at_once(as_manager, chen):
    browser = Client()
    browser.force_login(chen.user)
    assert browser.get("/staff/hours/").status_code == 200
    as_manager.post(f"{PEOPLE}{chen.user.pk}/active/", {"active": "no"})
    assert browser.get("/staff/hours/").url.startswith("/accounts/login/")
    assert not browser.login(email=chen.user.email, password="secret-password")
    as_manager.post(f"{PEOPLE}{chen.user.pk}/active/", {"active": "yes"})
    assert browser.get("/staff/hours/").url.startswith("/accounts/login/")
    assert browser.login(email=chen.user.email, password="secret-password")


def test_a_manager_ends_the_sessions_of_a_colleague(as_manager, chen):
    browser = Client()
    browser.force_login(chen.user)
    as_manager.post(f"{PEOPLE}{chen.user.pk}/sessions/")
    assert browser.get("/staff/hours/").url.startswith("/accounts/login/")


def test_a_manager_sees_where_a_colleague_is_signed_in_and_ends_one_session(as_manager, chen):
    phone, desk = Client(headers={"user-agent": PHONE}, REMOTE_ADDR="192.0.2.7"), Client()
    for browser in (phone, desk):
        sign_in(browser, chen.user)
    page = as_manager.get(f"{PEOPLE}{chen.user.pk}/")
    assertContains(page, "Safari on iPhone")
    assertContains(page, "192.0.2.7, last used")
    session = UserSession.objects.get(ip="192.0.2.7")
    end = f"{PEOPLE}{chen.user.pk}/sessions/{session.pk}/"
    assertContains(as_manager.post(end, follow=True), "That session has ended.")
    assert not is_signed_in(phone)
    assert is_signed_in(desk)
    assert AuditEvent.objects.get(subtype="end-session").query.startswith(chen.user.email)
    assertContains(as_manager.post(end, follow=True), "That session has already ended.")
    assertNotContains(as_manager.get(f"{PEOPLE}{chen.user.pk}/"), "192.0.2.7")


def test_a_manager_sees_and_ends_no_session_of_somebody_with_more_rights(as_manager, chen):
    owner, browser = with_role("owner"), Client(headers={"user-agent": PHONE}, REMOTE_ADDR="192.0.2.7")
    sign_in(browser, owner)
    session = UserSession.objects.get(ip="192.0.2.7")
    assertNotContains(as_manager.get(f"{PEOPLE}{owner.pk}/"), "192.0.2.7")
    for account in (owner, chen.user):
        as_manager.post(f"{PEOPLE}{account.pk}/sessions/{session.pk}/")
    assert is_signed_in(browser)


def test_people_sign_out_everywhere_else(as_chen, chen):
    elsewhere = Client()
    elsewhere.force_login(chen.user)
    as_chen.post("/sessions/end/")
    assert as_chen.get("/staff/hours/").status_code == 200
    assert elsewhere.get("/staff/hours/").url.startswith("/accounts/login/")


def test_a_longer_list_costs_no_further_statement(as_manager, django_assert_max_num_queries, site):
    for _number in range(5):
        UserFactory(desk_locations=[site])
        with_role("billing")
    with django_assert_max_num_queries(12):
        page = as_manager.get(PEOPLE).content.decode()
    assert page.count("Front desk: Riverside Main Street") == 5
    assert "No passkey." in page


def test_roles_that_somebody_else_has_changed_are_not_overwritten_by_a_second_try(as_manager):
    other = with_role("reader")
    address, version = f"{PEOPLE}{other.pk}/", staff_accounts.version_of(other)
    StaffRole.objects.create(user=other, role="billing")
    for _ in range(2):
        page = as_manager.post(address, {"version": version, "roles": ["reader"]})
        assert page.status_code == 422
        assert "Somebody else has changed this account" in page.content.decode()
        assert set(StaffRole.objects.filter(user=other).values_list("role", flat=True)) == {"reader", "billing"}
        version = page.context["version"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_invite_a_person_at_once_one_is_told_so(manager):
    person = NewPerson("kim@example.com", roles=frozenset({HeldRole(Role.READER)}))
    invite = partial(staff_accounts.invite, person, caller=Caller(user=manager), now=timezone.now())
    kinds = [type(outcome) for outcome in at_once([invite, invite])]
    assert sorted(kind.__name__ for kind in kinds) == ["RuleBroken", "tuple"]
    assert User.objects.filter(email="kim@example.com").count() == StaffInvitation.objects.count() == 1
