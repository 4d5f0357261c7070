"""The pages of a practitioner and of a site, and what the page of times says of the people."""

from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.html import escape
from PIL import Image
from pytest_django.asserts import assertContains, assertNotContains

from clinic import photos, translations
from clinic.models import Practitioner, PractitionerPhoto
from tests.factories import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory
from tests.factories.base import concept

pytestmark = pytest.mark.django_db

SPANISH = {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}
QUALIFICATION = {"code": concept("MD", "Doctor of Medicine")}


def picture(width=900, height=600, kind="JPEG", **more):
    file = BytesIO()
    Image.new("RGB", (width, height), "navy").save(file, kind, **more)
    return SimpleUploadedFile("me.jpg", file.getvalue())


@pytest.fixture
def known(chen, schedule):
    """Dr Chen with a photo, a few words, a qualification and a language."""
    chen.about = "Looks after the whole family."
    chen.communication = [SPANISH]
    chen.extra = {"qualification": [QUALIFICATION]}
    translations.translate_column(chen, "about", {"es": "Atiende a toda la familia."})
    chen.save()
    photos.store_photo(chen, photos.read_photo(picture()))
    return chen


def test_a_practitioners_page_says_who_they_are_and_what_can_be_booked(client, known, checkup, site):
    page = client.get(f"/practitioners/{known.fhir_id}/")
    for text in ("Mei Chen", "Looks after the whole family.", "Doctor of Medicine", "Spanish", "Next free time:"):
        assertContains(page, text)
    assertContains(page, f'href="/book/{checkup.fhir_id}/?practitioner={known.fhir_id}"')
    assertContains(page, f'href="/sites/{site.fhir_id}/"')
    assertContains(page, f'src="{known.photo_path}"')


def test_it_is_in_the_readers_language(client, known):
    page = client.get(f"/practitioners/{known.fhir_id}/", headers={"accept-language": "es"})
    assertContains(page, "Atiende a toda la familia.")


def test_a_sites_page_says_where_it_is_when_it_is_open_and_what_can_be_booked(client, known, checkup, schedule):
    site = schedule.site
    site.line, site.city, site.description = "1 Main St", "New York", "Bus 5 stops at the door."
    site.save()
    page = client.get(f"/sites/{site.fhir_id}/")
    for text in (
        escape(site.name),
        "1 Main St",
        "Bus 5 stops at the door.",
        "Opening hours",
        "Next free time:",
        "Mei Chen",
    ):
        assertContains(page, text)
    assertContains(page, 'href="tel:+12125550100"')
    assertContains(page, "https://www.openstreetmap.org/search?query=1%20Main%20St")
    assertContains(page, f'href="/book/{checkup.fhir_id}/?location={site.fhir_id}"')


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (
            [{"daysOfWeek": ["mon", "tue", "wed"], "openingTime": "08:00:00", "closingTime": "17:30:00"}],
            "Monday – Wednesday",
        ),
        ([{"daysOfWeek": ["sat"], "allDay": True}], "Saturday: all day"),
        (
            [{"daysOfWeek": ["mon", "thu"], "openingTime": "08:00:00", "closingTime": "12:00:00"}],
            "Monday, Thursday: 8:00",
        ),
    ],
)
def test_hours_that_fhir_says_come_first(client, schedule, told, text):
    schedule.site.extra = {"hoursOfOperation": told}
    schedule.site.save()
    assertContains(client.get(f"/sites/{schedule.site.fhir_id}/"), text)


def test_nothing_to_book_says_whom_to_call(client, settings):
    settings.CLINIC_PHONE = "(212) 555-0142"
    for path in (f"/practitioners/{PractitionerFactory().fhir_id}/", f"/sites/{LocationFactory().fhir_id}/"):
        page = client.get(path)
        assertContains(page, "Nothing can be booked here online")
        assertContains(page, "(212) 555-0142")


def test_who_has_left_and_rooms_have_no_page(client, site):
    gone = PractitionerFactory(active=False)
    room = LocationFactory(part_of=site)
    for path in (
        f"/practitioners/{gone.fhir_id}/",
        f"/sites/{room.fhir_id}/",
        "/practitioners/nobody/",
        "/sites/none/",
    ):
        assert client.get(path).status_code == 404


def test_the_page_of_times_says_who_gives_the_visit_and_filters_by_qualification(client, known, checkup, site):
    nurse = {"qualification": [{"code": concept("RN", "Registered Nurse")}]}
    other = PractitionerFactory(given="Sam", family="Okoye", extra=nurse)
    ScheduleFactory(actor=other, services=[checkup], site=site)
    page = client.get(f"/book/{checkup.fhir_id}/")
    for text in ("Who gives this visit: 2 people", "Looks after the whole family.", "Speaks Spanish", "Qualification"):
        assertContains(page, text)
    page = client.get(f"/book/{checkup.fhir_id}/?qualification=MD")
    assertContains(page, "Who gives this visit")
    assertNotContains(page, "Sam Okoye</a>")


def test_preparation_is_read_before_booking(client, schedule, checkup):
    checkup.preparation = "Bring your medicines."
    checkup.save()
    assertContains(client.get(f"/book/{checkup.fhir_id}/"), "Bring your medicines.")


def test_pages_take_as_many_queries_however_much_there_is(client, known, checkup, site, django_assert_max_num_queries):
    for number in range(12):
        checkup.schedules.get().services.add(ServiceFactory(name=f"Visit {number}"))
    with django_assert_max_num_queries(60):
        client.get(f"/sites/{site.fhir_id}/")


def test_a_photo_is_small_and_tells_nothing_of_the_camera(known, client):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera of Mei", 6  # maker, and turned by 90 degrees
    stored = photos.read_photo(picture(exif=exif))
    with Image.open(BytesIO(stored)) as image:
        assert (image.size, image.format, len(image.getexif())) == ((480, 480), "JPEG", 0)
    assert b"Camera" not in stored
    photos.store_photo(known, stored)
    answer = client.get(known.photo_path)
    assert answer.content == stored
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"


def test_another_photo_has_another_address_and_a_removed_one_is_gone(known, client):
    before = known.photo_path
    photos.store_photo(known, photos.read_photo(picture(height=900, kind="PNG")))
    assert client.get(before).status_code == (200 if before == known.photo_path else 404)
    photos.store_photo(known, None)
    assert (known.photo_path, PractitionerPhoto.objects.count()) == ("", 0)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_other_files_are_refused(content):
    with pytest.raises(ValidationError, match="This is not a photo"):
        photos.read_photo(SimpleUploadedFile("me.jpg", content))


def test_qualifications_words_and_photo_are_entered_in_administration(client, alex, known):
    client.force_login(alex)
    address = f"/admin/clinic/practitioner/{known.pk}/change/"
    page = client.get(address)
    assertContains(page, "MD: Doctor of Medicine")
    form = page.context["adminform"].form
    posted = {name: value for name, value in form.initial.items() if isinstance(value, str)}
    posted |= {"active": "on", "communication": "[]", "identifier": "[]", "about": "New words.", "roles-TOTAL_FORMS": 0}
    posted |= {
        "roles-INITIAL_FORMS": 0,
        "qualification": "MD: Doctor of Medicine\nBoard certified",
        "new_photo": picture(500, 500),
    }
    answer = client.post(address, posted)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    saved = Practitioner.objects.get(pk=known.pk)
    assert saved.qualifications == ["Doctor of Medicine", "Board certified"]
    assert saved.extra["qualification"][0] == QUALIFICATION
    assert saved.about == "New words."
    assert saved.photo_digest
