"""Administration names the plug-ins that are installed, and those that fail."""

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment, PluginFailure
from tests.clinic.admin.pages import url
from tests.scheduling.admin.test_slots_and_appointments import visit
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

RAISES = """
    class Rules(Plugin):
        def before_booking(self, facts):
            raise LookupError
    """


def page(desk, language="en"):
    return desk.get(url(PluginFailure, "changelist"), headers={"Accept-Language": language})


def test_without_plugins_the_page_says_so(desk):
    assertContains(page(desk), "None.")


def test_the_installed_plugins_are_listed_with_their_state(desk, install, settings):
    settings.REQUIRED_PLUGINS = ["coverage-check"]
    install.example("plugin-new-patient-mornings")
    install.source("unloadable", "import nothing_of_this_name")
    shown = page(desk)
    for words in (
        "new-patient-mornings",
        "clinic-plugin-new-patient-mornings 1.0.0",
        "Loaded",
        "Cannot be loaded: see the log",
        "coverage-check",
        "Not installed",
        "Nothing is booked",
    ):
        assertContains(shown, words)
    assertContains(page(desk, "es"), "No está instalado")


def test_failures_are_counted_until_somebody_deletes_them(desk, install, service, chen, ada):
    install.source("broken-rule", RAISES)
    book(wish(service, chen, at=monday(10), patient=ada))
    assertContains(page(desk), "LookupError")
    desk.post(
        url(PluginFailure, "changelist"),
        {"action": "delete_selected", "_selected_action": PluginFailure.objects.get().pk, "post": "yes"},
    )
    assertNotContains(page(desk), "LookupError")


def test_a_row_is_neither_added_nor_changed_by_hand(desk):
    now = timezone.now()
    row = PluginFailure.objects.create(plugin="a", method="before_booking", error="LookupError", since=now, last=now)
    assert desk.get(url(PluginFailure, "add")).status_code == 403
    assertNotContains(desk.get(url(PluginFailure, "change", row.pk)), "_save")


def test_a_warning_is_shown_to_whoever_books_in_administration(desk, install, service, chen, ada):
    install.example("plugin-new-patient-mornings")
    answer = desk.post(url(Appointment, "add"), visit(service, [chen], ada, monday(10)), follow=True)
    assertContains(answer, "The patient is new: plan ten minutes for the papers.")
