"""Responses are small, and compressed where that is safe."""

import gzip
import re
import runpy

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse
from django.templatetags.static import static
from django.test import Client, RequestFactory

import clinic.settings
from portal.common.middleware import Compression
from tests.factories import PractitionerFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db
MOST = 60_000  # bytes of a page and all its assets at the first visit
BROWSER = {"Accept-Encoding": "gzip, deflate, br"}


def weight(response):
    """Return how many bytes a page and its assets are on the wire."""
    assert response.status_code == 200
    assert response["Content-Encoding"] == "gzip"
    html = gzip.decompress(response.content).decode()
    assets = set(re.findall(r"[\"']/(static/[^\"'#?]+)", html))
    assert len(assets) > 5
    sizes = {asset: len(brotli.compress(read(asset))) for asset in assets}
    return len(response.content) + sum(sizes.values())


def test_static_files_in_production_have_hashed_names_are_compressed_and_kept_for_long(settings, tmp_path):
    real = runpy.run_path(clinic.settings.__file__)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "site.css").write_text("body { margin: 0; }\n" * 100)
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES, settings.WHITENOISE_AUTOREFRESH = real["STORAGES"], False
    settings.WHITENOISE_KEEP_ONLY_HASHED_FILES = real["WHITENOISE_KEEP_ONLY_HASHED_FILES"]
    call_command("collectstatic", interactive=False, verbosity=0)
    address = static("site.css")
    assert re.fullmatch(r"/static/site\.[0-9a-f]{12}\.css", address)
    client = Client()
    for coding in ("br", "gzip"):
        answer = client.get(address, headers={"Accept-Encoding": coding})
        answer.close()
        assert (answer.status_code, answer["Content-Encoding"]) == (200, coding)
        assert answer["Cache-Control"] == "max-age=315360000, public, immutable"
        assert int(answer["Content-Length"]) < 200
    assert not (tmp_path / "collected" / "site.css").exists()


def read(asset):
    with open(finders.find(asset.removeprefix("static/")), "rb") as file:
        return file.read()


def test_every_page_of_a_patient_is_below_60_kb(client, as_ada, checkup, schedule, site, visit, link, ten):
    ServiceFactory(name="Another visit")  # else the first page redirects to the only service
    for _ in range(20):
        ScheduleFactory(actor=PractitionerFactory(), services=[checkup], site=site)
    times = f"/book/{checkup.fhir_id}/?date={ten.date()}"
    pages = [
        "/",
        times,
        link,
        "/appointments/",
        f"/appointments/{visit.fhir_id}/",
        "/messages/",
        "/family/",
        "/accounts/password/change/",
    ]

    weights = {page: weight(client.get(page, headers=BROWSER)) for page in pages}

    assert {page: size for page, size in weights.items() if size >= MOST} == {}


def answer(response, path="/", **headers):
    request = RequestFactory().get(path, headers=headers or BROWSER)
    return Compression(lambda _: response)(request)


LONG = b"a" * 5000


@pytest.mark.parametrize(
    ("response", "path"),
    [
        (HttpResponse(b"short"), "/"),
        (StreamingHttpResponse([LONG], content_type="text/event-stream"), "/"),
        (HttpResponse(LONG, headers={"ETag": '"of-these-bytes"'}), "/fhir/R4/$bulk-publish"),
        (HttpResponse(LONG, headers={"Content-Encoding": "br"}), "/static/css/base.css"),
        (HttpResponse(LONG, content_type="application/json"), "/oauth/token/"),
    ],
    ids=["short", "stream", "strong ETag", "compressed", "tokens"],
)
def test_responses_that_are_not_compressed(response, path):
    assert answer(response, path).get("Content-Encoding") in (None, "br")


def test_pages_and_resources_are_compressed_for_who_can_read_that():
    page = answer(HttpResponse(LONG, headers={"ETag": 'W/"1"'}))
    assert (page["Content-Encoding"], page["Vary"], page["ETag"]) == ("gzip", "Accept-Encoding", 'W/"1"')
    assert gzip.decompress(page.content) == LONG
    assert answer(HttpResponse(LONG), **{"Accept-Encoding": "identity"}).content == LONG


def test_the_size_says_nothing_of_what_is_inside():
    assert len({len(answer(HttpResponse(LONG)).content) for _ in range(50)}) > 10


def test_the_token_of_a_form_is_masked_each_time(client):
    tokens = {
        re.findall(rb'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/accounts/login/").content)[0]
        for _ in "ab"
    }
    assert len(tokens) == 2
