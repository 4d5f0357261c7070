"""Files that people upload, as FHIR Attachments, and their downloads: https://hl7.org/fhir/R4/datatypes.html#Attachment"""

from base64 import b64decode
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse

from clinic.fhir.validation import UNSTORABLE
from scheduling import questionnaires
from scheduling.questionnaires import MEGABYTE, MOST_MEGABYTES, Json

SIGNATURES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
SUFFIXES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def read_file(upload: "UploadedFile[Any]") -> Json:
    """Return an upload as a FHIR Attachment. Its first bytes decide its type; a too large file has no data."""
    size = upload.size or 0
    data = upload.read() if size <= MOST_MEGABYTES * MEGABYTE else b""
    media = next((kind for start, kind in SIGNATURES.items() if data.startswith(start)), upload.content_type or "")
    if data and media in SIGNATURES.values() and not any(data.startswith(start) for start in SIGNATURES):
        media = "application/octet-stream"
    title = UNSTORABLE.sub("", upload.name or "").strip() or media
    entry = questionnaires.file_entry(data, media or "application/octet-stream", title)
    return entry if data else {**entry, "size": size, "hash": f"{entry['hash']}{size}"}


def download(attachment: Json, name: str) -> HttpResponse:
    """Return the file of an Attachment with data, to be saved under a name of ours."""
    media = attachment.get("contentType", "")
    response = HttpResponse(
        b64decode(attachment["data"]),
        content_type=media if media in questionnaires.MEDIA else "application/octet-stream",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{SUFFIXES.get(media, "bin")}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
