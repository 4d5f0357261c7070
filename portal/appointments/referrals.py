"""Referrals as pages show them: the words of their states, their documents, and the sending of their link."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from clinic.country import clinic_zone
from clinic.models import ServiceRequest
from portal.appointments.statuses import StatusWord
from portal.common import uploads
from portal.common.callers import caller_of
from scheduling import booking, notifications
from scheduling.access import Caller
from scheduling.errors import SchedulingError
from scheduling.notifications import TimelineEntry
from scheduling.referrals import Referral, ReferralState

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


@dataclass(frozen=True, slots=True)
class Sending:
    """The sending of a referral's link to its patient: the messages, the earliest first, and whether it can be sent.

    `is_waiting` is True if that is possible again only a while after the last time.
    """

    log: list[TimelineEntry]
    zone: ZoneInfo
    is_possible: bool
    is_waiting: bool


def sending_of(referral: Referral, caller: Caller) -> Sending:
    """Return the sending of a referral's link by this caller. One statement; two while the link is open."""
    row = referral.row
    is_open = referral.state == ReferralState.OPEN and not referral.is_held and row.service is not None
    is_possible = is_open and bool(booking.sending_media(row, caller))
    return Sending(
        log=[notifications.timeline_entry(message) for message in notifications.messages_of(row).reverse()],
        zone=clinic_zone(),
        is_possible=is_possible,
        is_waiting=is_possible and not booking.can_send_again(row, now=referral.now),
    )


def send_link(request: HttpRequest, referral_id: str, page: str, *, now: datetime) -> HttpResponse:
    """Send the link of a referral to its patient, and go back to the page of the referral."""
    try:
        booking.send_ticket(referral_id, caller=caller_of(request), now=now)
        messages.success(request, _("The link is being sent to the patient."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    return redirect(page, referral_id)


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
