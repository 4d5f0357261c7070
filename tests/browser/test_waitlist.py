"""An offer of the waiting list on a phone, without JavaScript: it lapses, and the next person takes it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, expect

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.models import Appointment, Schedule, WaitlistOffer
from scheduling import booking, tasks
from scheduling.access import Caller
from scheduling.booking import WaitlistRequest
from scheduling.notifications import links
from tests.browser.accessibility import serious, too_wide
from tests.browser.conftest import PHONE
from tests.factories import NEW_YORK, PatientFactory
from tests.scheduling.situations import wish

DESK = Caller(client="desk", scopes=("system/*.cruds",))


@pytest.fixture
def by_day(settings):
    settings.QUIET_HOURS = None


@pytest.fixture
def people(clinic, ada, bo, by_day):
    """Ada and Bo wait with a visit in six days, and somebody's time in three days comes free."""
    zone, now, schedule = ZoneInfo(NEW_YORK), timezone.now(), Schedule.objects.get()
    day = now.astimezone(zone).date()
    clinic.questionnaires.clear()
    waits = []
    for hour, patient in ((10, ada), (11, bo)):
        start = datetime.combine(day + timedelta(days=6), time(hour), zone)
        visit = booking.book(wish(clinic, schedule, at=start, patient=patient), caller=DESK, now=now)
        wanted = WaitlistPreferences(replaces=visit.reference)
        request = WaitlistRequest(service=clinic, patient=patient, preferences=wanted)
        waits.append(booking.join_waitlist(request, caller=DESK, now=timezone.now()))
    free = datetime.combine(day + timedelta(days=3), time(14), zone)
    other = booking.book(wish(clinic, schedule, at=free, patient=PatientFactory()), caller=DESK, now=now)
    booking.cancel(other.fhir_id, caller=DESK, now=timezone.now())
    tasks.offer_freed_time()
    return waits


def page_of(entry: Appointment) -> str:
    return links.waitlist_link(entry).removeprefix(settings.SITE_URL)


def let_lapse(offer: WaitlistOffer) -> None:
    """Let a quarter of an hour pass."""
    over = timezone.now() - timedelta(milliseconds=1)
    offer.hold.slots.update(blocks_from=over - timedelta(minutes=15), hold_expires_at=over)
    Appointment.objects.filter(pk=offer.hold_id).update(hold_expires_at=over)
    WaitlistOffer.objects.filter(pk=offer.pk).update(expires=over)
    tasks.offer_freed_time()


def test_an_offer_lapses_to_the_next_person_who_takes_it(browser: Browser, live_server, people):
    first, second = people
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto(page_of(first))
    expect(page.get_by_role("region", name="A time has come free")).to_contain_text("2:00 – 2:30 PM")
    page.goto(page_of(second))
    expect(page.get_by_role("region", name="A time has come free")).to_have_count(0)
    let_lapse(WaitlistOffer.objects.get(entry=first))
    page.goto(page_of(first))
    expect(page.get_by_role("heading", name="You are on the waiting list")).to_be_visible()
    expect(page.get_by_role("region", name="A time has come free")).to_have_count(0)
    page.goto(page_of(second))
    expect(page.get_by_role("region", name="A time has come free")).to_contain_text("moves to this time")
    page.get_by_role("button", name="Take this time").click()
    expect(page.get_by_text("Your visit has been moved to the earlier time.")).to_be_visible()
    expect(page.get_by_text("2:00 – 2:30 PM").first).to_be_visible()
    context.close()
    assert list(WaitlistOffer.objects.order_by("pk").values_list("entry", "outcome")) == [
        (first.pk, "lapsed"),
        (second.pk, "taken"),
    ]


def test_a_patient_joins_on_a_phone_by_keyboard(page, sign_in, clinic, ada, violations):
    sign_in(ada.user)
    page.goto(f"/book/{clinic.fhir_id}/")
    page.get_by_role("link", name="Tell me if something earlier comes free").click()
    page.get_by_label("Monday").focus()
    page.keyboard.press("Space")
    page.get_by_label("Morning").focus()
    page.keyboard.press("Space")
    assert [*too_wide(page), *serious(page), *violations] == []
    page.get_by_role("button", name="Join the waiting list").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You are on the waiting list")).to_be_visible()
    expect(page.get_by_text("Monday", exact=True)).to_be_visible()
    page.get_by_role("button", name="Leave the waiting list").click()
    expect(page.get_by_role("heading", name="You are no longer on this waiting list")).to_be_visible()
