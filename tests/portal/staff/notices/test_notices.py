"""The pages of notices: what a member of staff is told, the box on open pages, and what they choose."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import NoticeSettings, StaffNotice
from tests.factories import AppointmentFactory

pytestmark = pytest.mark.django_db
PAGE = "/staff/notices/"
CHOICES = f"{PAGE}settings/"


@pytest.fixture
def notice(rana, ada, site):
    visit = AppointmentFactory(patient=ada, site=site, start=timezone.now() + timedelta(days=3))
    return StaffNotice.objects.create(user=rana, kind="booked", appointment=visit, version=1, occurred=timezone.now())


def test_what_is_told_by_email_and_on_pages_is_chosen(as_rana, rana):
    page = as_rana.get(CHOICES)
    assertContains(page, 'name="email" value="request" id="id_email_3" checked')
    assertNotContains(page, "data-notices")
    sent = {"email": ["moved"], "pages": ["booked", "request"], "digest_at": "07:30", "version": "0"}
    page = as_rana.post(CHOICES, sent, follow=True)
    assertContains(page, "Saved.")
    assertContains(page, f'data-notices="{PAGE}latest/"')
    chosen = NoticeSettings.objects.get(user=rana)
    assert (chosen.email, chosen.pages, f"{chosen.digest_at:%H:%M}") == (["moved"], ["booked", "request"], "07:30")
    assertContains(as_rana.post(CHOICES, sent, follow=True), "You have changed this in another window")
    assertContains(as_rana.post(CHOICES, {**sent, "version": "1", "digest_at": "late"}), "There is a problem")


def test_a_notice_is_on_the_open_page_until_it_is_seen(as_rana, notice):
    page = as_rana.get(f"{PAGE}latest/")
    assertContains(page, "New visit: Ada Quinn")
    assertContains(page, f"/staff/appointments/{notice.appointment.fhir_id}/")
    seen = {"until": notice.occurred.isoformat()}
    answer = as_rana.post(f"{PAGE}seen/", seen, headers={"Referer": "http://testserver/staff/hours/"})
    assert answer.url == "http://testserver/staff/hours/"
    assertNotContains(as_rana.get(f"{PAGE}latest/"), "Ada Quinn")
    assertContains(as_rana.get(PAGE), "New visit: Ada Quinn")


def test_a_notice_leads_nowhere_else(as_rana, notice):
    for came_from in ("https://elsewhere.example/", ""):
        answer = as_rana.post(f"{PAGE}seen/", {"until": "never"}, headers={"Referer": came_from})
        assert answer.url == PAGE
    notice.refresh_from_db()
    assert notice.seen is None


def test_others_notices_are_not_shown(as_chen, notice):
    for page in (PAGE, f"{PAGE}latest/"):
        assertNotContains(as_chen.get(page), "Ada Quinn")
    as_chen.post(f"{PAGE}seen/", {"until": timezone.now().isoformat()})
    notice.refresh_from_db()
    assert notice.seen is None


def test_many_notices_need_as_many_statements_as_one(as_rana, rana, site, notice, django_assert_max_num_queries):
    with django_assert_max_num_queries(30) as few:
        as_rana.get(PAGE)
    for number in range(3):
        visit = AppointmentFactory(site=site, start=timezone.now() + timedelta(days=4, hours=number))
        StaffNotice.objects.create(user=rana, kind="moved", appointment=visit, version=2, occurred=timezone.now())
    with django_assert_max_num_queries(len(few)):
        as_rana.get(PAGE)
