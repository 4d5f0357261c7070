"""Files as answers."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django.asserts import assertContains

from tests.portal.questions.answers import SMOKES, page, response

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 plan"
FILE = {"linkId": "letter", "type": "attachment", "text": "Your letter"}


def test_a_file_stays_with_the_answers_and_is_read_by_who_may(as_ada, held, form, client, bo, rana):
    form.item = [FILE, SMOKES]
    form.save()
    upload = SimpleUploadedFile("plan.pdf", PDF, "application/pdf")
    refused = as_ada.post(page(held), {"shown": ["q-letter", "q-smokes"], "q-letter.0": upload})
    assertContains(refused, "plan.pdf, 13")
    digest = response().item[0]["answer"][0]["valueAttachment"]["hash"]
    assertContains(refused, f'name="q-letter.0" value="{digest}"')
    as_ada.post(page(held), {"shown": ["q-letter", "q-smokes"], "q-letter.0": [digest, ""], "q-smokes.0": "true"})
    answers = as_ada.get(reverse("portal:answers", args=[held.fhir_id])).content.decode()
    link = re.search(rf'"([^"]*/answers/{response().fhir_id}/[^"]*)"', answers)[1]
    assert as_ada.get(link).content == PDF
    assert as_ada.get(link)["Content-Disposition"].startswith("attachment")
    client.force_login(bo.user)
    assert client.get(link).status_code == 404
    client.force_login(rana)
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("plan.pdf", b"MZ not a PDF", "Choose a file of one of these kinds: PDF, JPEG, PNG."),
        ("big.pdf", b"%PDF-" + b"0" * (5 * 1024 * 1024), "at most 5 MB. This one has 5.0 MB."),
    ],
)
def test_other_files_are_refused_with_the_reason(as_ada, held, form, name, data, words):
    form.item = [FILE]
    form.save()
    upload = SimpleUploadedFile(name, data, "application/pdf")
    refused = as_ada.post(page(held), {"shown": "q-letter", "q-letter.0": upload})
    assertContains(refused, words)
