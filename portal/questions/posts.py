"""PostedForm data of a page of questions."""

from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from clinic.fhir.validation import UNSTORABLE
from scheduling import questionnaires
from scheduling.questionnaires import MEGABYTE, MOST_MEGABYTES, Entries, Item, Json, PostedForm

SIGNATURES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def read_post(request: HttpRequest) -> PostedForm:
    """Return the posted answers, without characters that cannot be stored."""
    names = [name for name in request.POST if name.startswith("q-")]
    typed = {name: [UNSTORABLE.sub("", text) for text in request.POST.getlist(name)] for name in names}
    # An empty file control does not remove the file that was sent before.
    typed = {name: [text for text in texts if text] or [""] for name, texts in typed.items()}
    files: dict[str, Json] = {}
    for name, upload in request.FILES.items():
        if name.startswith("q-") and isinstance(upload, UploadedFile):
            entry = _read_file(upload)
            files[entry["hash"]] = entry
            typed[name] = [entry["hash"]]
    return PostedForm(typed, frozenset(request.POST.getlist("shown")), files)


def without(posted: PostedForm, items: tuple[Item, ...], row: str) -> PostedForm:
    """Return the posted answers without one row."""
    left = questionnaires.remove_row(items, Entries(posted.typed), row)
    return replace(posted, typed=left.typed)


def _read_file(upload: "UploadedFile[Any]") -> Json:
    """Return an upload as a FHIR Attachment. Its first bytes decide its type; a too large file has no data."""
    size = upload.size or 0
    data = upload.read() if size <= MOST_MEGABYTES * MEGABYTE else b""
    media = next((kind for start, kind in SIGNATURES.items() if data.startswith(start)), upload.content_type or "")
    if data and media in SIGNATURES.values() and not any(data.startswith(start) for start in SIGNATURES):
        media = "application/octet-stream"
    title = UNSTORABLE.sub("", upload.name or "").strip() or media
    entry = questionnaires.file_entry(data, media or "application/octet-stream", title)
    return entry if data else {**entry, "size": size, "hash": f"{entry['hash']}{size}"}
