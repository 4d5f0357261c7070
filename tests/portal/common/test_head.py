"""HEAD requests are answered like GET, without the body."""

from contextlib import suppress

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse

from clinic.models import AuditEvent

pytestmark = pytest.mark.django_db


def pages():
    """Addresses of the portal that name no row."""
    for name in get_resolver("portal.urls").reverse_dict:
        with suppress(NoReverseMatch):
            if isinstance(name, str):
                yield reverse(f"portal:{name}")


@pytest.mark.parametrize("person", [None, "ada", "rana"])
def test_every_page_answers_head_as_it_answers_get(client, request, checkup, schedule, visit, link, person):
    if person:
        client.force_login(getattr(request.getfixturevalue(person), "user", request.getfixturevalue(person)))
    named = [f"/book/{checkup.fhir_id}/", link, f"{link}cancel/", f"/staff/visits/{visit.fhir_id}/", "/accounts/login/"]
    answers = {page: (client.get(page), client.head(page)) for page in [*pages(), *named, "/admin/", "/healthz"]}

    assert len(answers) > 20
    assert {page: head.status_code for page, (_, head) in answers.items()} == {
        page: got.status_code for page, (got, _) in answers.items()
    }
    assert {got.status_code for got, _ in answers.values()} >= {200, 405}
    assert [page for page, (_, head) in answers.items() if head.getvalue()] == []


def test_it_says_how_long_the_page_is(client, checkup, schedule):
    got, head = client.get("/healthz"), client.head("/healthz")
    assert head["Content-Length"] == got["Content-Length"] == str(len(got.content))


def test_post_only_pages_refuse_head(client):
    assert client.head("/language/").status_code == 405


@pytest.mark.parametrize(
    "page",
    [
        "/staff/agenda/?date={visit.start:%Y-%m-%d}",
        "/staff/appointments/{visit.fhir_id}/",
        "/staff/visits/{visit.fhir_id}/",
        "/admin/clinic/patient/{visit.patient.pk}/change/",
    ],
)
def test_it_shows_nobody_and_so_records_no_disclosure(client, admin_user, visit, page):
    client.force_login(admin_user)
    page = page.format(visit=visit)
    before = AuditEvent.objects.filter(patient=visit.patient).count()
    assert client.head(page).status_code == 200
    assert AuditEvent.objects.filter(patient=visit.patient).count() == before
    assert client.get(page).status_code == 200
    assert AuditEvent.objects.filter(patient=visit.patient).count() == before + 1
