"""Access to every address by everybody who has no right to it: they learn nothing about Ada, and change nothing.

An address without a row in the table fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from clinic import models
from tests.factories import (
    RelatedPersonFactory,
    UserFactory,
)
from tests.portal.access.addresses import addresses, requests
from tests.portal.access.callers import EVERYBODY, a_guest, anonymous, another_desk, another_practitioner
from tests.portal.access.table import ADAS, DESK, OWN, PROVEN_BY_TOKEN, TABLE, WORKLIST

pytestmark = pytest.mark.django_db

TAKEN_BACK = 204  # the response of `presence`, whatever is posted


def is_refused(response):
    """True if the response is 404, 403, or a redirect to sign in or to give one's details."""
    if response.status_code == 302:
        return response.url.startswith((reverse("account_login"), reverse("portal:details")))
    return response.status_code in (403, 404, 405, 410)


def is_right(who, name, row, response, things):
    match row.whose:
        case "open":
            return response.status_code < 500
        case "own":
            return is_refused(response) if who in (anonymous, a_guest) else response.status_code < 500
        case "staff" | "staff's, with what any front desk mends":
            works_here = who in (another_practitioner, another_desk)
            return response.status_code < 500 if works_here else is_refused(response)
        case "secret" if name in ("manage-move", "manage-wait"):
            return response.url == reverse("portal:manage", args=[things["token"]])
        case "Ada's" if name == "presence":
            return response.status_code in (405, TAKEN_BACK)
    return is_refused(response)


COMPARED = (
    models.Appointment,
    models.AuditEvent,
    models.CalendarFeed,
    models.Communication,
    models.Coverage,
    models.DuplicatePair,
    models.Encounter,
    models.Erasure,
    models.FhirExport,
    models.HealthcareService,
    models.Launch,
    models.MessagePreferences,
    models.Patient,
    models.PatientNote,
    models.Payment,
    models.QuestionnaireResponse,
    models.RelatedPerson,
    models.Schedule,
    models.SchedulingParameters,
    models.ServiceRequest,
    models.Slot,
    models.StaffNotice,
    models.WaitlistCall,
    models.WorkItem,
)


def rows(ada):
    """Return a digest of all rows of each table; of feeds only Ada's, since everybody may create their own."""
    digests = [
        f"(SELECT md5(string_agg(row::text, chr(10) ORDER BY row.id)) FROM {kind._meta.db_table} row"
        + (" WHERE patient_id = %s)" if kind is models.CalendarFeed else ")")
        for kind in COMPARED
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(digests)}", [ada.pk])
        return cursor.fetchone()


def test_every_address_has_its_row():
    assert {name for name, _parameters in addresses()} == TABLE.keys()


@contextmanager
def noting_writes() -> Iterator[list[str]]:
    """Collect all queries that may change a row that is compared."""
    written: list[str] = []
    tables = [kind._meta.db_table for kind in COMPARED]

    def note(execute, sql, *arguments):
        sql = str(sql)
        if not sql.lstrip().upper().startswith("SELECT") and any(table in sql for table in tables):
            written.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield written


@pytest.mark.parametrize("who", EVERYBODY)
def test_other_callers_learn_and_change_nothing(client, request, clinic, ada, who):
    who(client, request)
    before, wrong = rows(ada), []
    for name, row, address, posted in requests(clinic):
        if row.whose in (DESK, WORKLIST) and who is another_desk:
            continue
        with noting_writes() as written:
            response = client.get(address) if posted is None else client.post(address, posted)
        request_line = f"{'GET' if posted is None else 'POST'} {name}"
        if not is_right(who, name, row, response, clinic):
            wrong.append(f"{request_line}: {response.status_code}")
        if b"Quinn" in response.getvalue():
            wrong.append(f"{request_line} names Ada")
        if written and rows(ada) != before:
            wrong.append(f"{request_line} changes something")
            before = rows(ada)
    assert wrong == []


def test_carers_see_the_patients_data_and_not_the_accounts(client, clinic, ada):
    carer = RelatedPersonFactory(patient=ada, user=UserFactory()).user
    client.force_login(carer)
    seen = {
        name: client.get(address).status_code
        for name, row, address, posted in requests(clinic)
        if row.whose == ADAS and posted is None
    }
    assert {seen[name] for name in ("visit", "ics", "answers", "answer-file", "confirm")} == {200}
    assert {seen[name] for name in ("family-change", "family-remove")} == {404}
    assert client.post(reverse("portal:feed-revoke", args=[clinic["feed_id"]])).status_code == 404


@pytest.mark.parametrize("who", [another_practitioner, another_desk])
def test_staff_look_at_no_calendar_but_theirs(client, request, clinic, who):
    who(client, request)
    named = clinic["schedule_id"]
    for name in ("day", "week", "month", "agenda"):
        assert client.get(reverse(f"portal:{name}"), {"schedule": named}).status_code == 404
    query = {"calendars": named, "start": "2026-11-24", "end": "2026-11-25", "since": "2026-11-24T09:00:00Z"}
    for name in ("calendar-events", "calendar-changes"):
        assert client.get(reverse(f"portal:{name}"), query).status_code == 404
    assert client.get(reverse("portal:board"), {"site": clinic["site_id"]}).status_code in (200, 404)


def test_a_practitioner_finds_only_patients_of_their_calendar(client, request, clinic):
    another_practitioner(client, request)
    assert b"Quinn" not in client.post(reverse("portal:staff-find-patients"), {"search": "Quinn"}).content


def test_nothing_is_posted_from_another_site(clinic, ada):
    """A POST without a CSRF token is refused, except where a secret or a signature proves it."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada.user)
    before = rows(ada)
    answers = {
        name: client.post(address, posted)
        for name, _row, address, posted in requests(clinic)
        if posted is not None and name not in PROVEN_BY_TOKEN
    }
    assert {name for name, answer in answers.items() if answer.status_code != 403} == set()
    assert rows(ada) == before


def test_no_page_of_hers_stays_in_a_cache(client, clinic, ada):
    client.force_login(ada.user)
    kept = [
        name
        for name, row, address, posted in requests(clinic)
        if posted is None
        and row.whose in (OWN, ADAS)
        and "no-store" not in client.get(address).headers.get("Cache-Control", "")
    ]
    assert kept == []
