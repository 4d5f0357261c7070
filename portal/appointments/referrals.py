"""Referrals as pages show them: the words of their states, and their documents."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy as _

from clinic.models import ServiceRequest
from portal.appointments.statuses import StatusWord
from portal.common import uploads
from scheduling.referrals import ReferralState

STATE_WORDS = {
    ReferralState.OPEN: StatusWord(_("Open"), "clock", "info"),
    ReferralState.BOOKED: StatusWord(_("Booked"), "check", "good"),
    ReferralState.DONE: StatusWord(_("Done"), "done", "quiet"),
    ReferralState.NO_SHOW: StatusWord(_("No-show"), "missed", "bad"),
    ReferralState.EXPIRED: StatusWord(_("Expired"), "hourglass", "warn"),
    ReferralState.WITHDRAWN: StatusWord(_("Withdrawn"), "cross", "quiet"),
    ReferralState.PAUSED: StatusWord(_("On hold"), "clock", "quiet"),
}


@dataclass(frozen=True, slots=True)
class ReferralDocument:
    """A document of a referral: its number, from 1, its title and its FHIR Attachment, which has the data."""

    number: int
    title: str
    attachment: dict[str, Any]


def documents_of(referral: ServiceRequest) -> list[ReferralDocument]:
    """Return the documents whose data is stored here. Those that are only an address elsewhere are left out."""
    contained = (each for each in referral.extra.get("contained", ()) if each["resourceType"] == "DocumentReference")
    attachments = (content.get("attachment", {}) for each in contained for content in each.get("content", ()))
    stored = [each for each in attachments if each.get("data")]
    return [
        ReferralDocument(number, str(each.get("title") or _("Document")), each) for number, each in enumerate(stored, 1)
    ]


def download(referral: ServiceRequest, number: int) -> HttpResponse:
    """Return a document of a referral as a file. Raises Http404 if there is none of this number."""
    document = next((each for each in documents_of(referral) if each.number == number), None)
    if document is None:
        raise Http404
    return uploads.download(document.attachment, f"referral-{number}")
