"""PostedForm data of a page of questions."""

from dataclasses import replace

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from clinic.fhir.validation import UNSTORABLE
from portal.common.uploads import read_file
from scheduling import questionnaires
from scheduling.questionnaires import Entries, Item, Json, PostedForm


def read_post(request: HttpRequest) -> PostedForm:
    """Return the posted answers, without characters that cannot be stored."""
    names = [name for name in request.POST if name.startswith("q-")]
    typed = {name: [UNSTORABLE.sub("", text) for text in request.POST.getlist(name)] for name in names}
    # An empty file control does not remove the file that was sent before.
    typed = {name: [text for text in texts if text] or [""] for name, texts in typed.items()}
    files: dict[str, Json] = {}
    for name, upload in request.FILES.items():
        if name.startswith("q-") and isinstance(upload, UploadedFile):
            entry = read_file(upload)
            files[entry["hash"]] = entry
            typed[name] = [entry["hash"]]
    return PostedForm(typed, frozenset(request.POST.getlist("shown")), files)


def without(posted: PostedForm, items: tuple[Item, ...], row: str) -> PostedForm:
    """Return the posted answers without one row."""
    left = questionnaires.remove_row(items, Entries(posted.typed), row)
    return replace(posted, typed=left.typed)
