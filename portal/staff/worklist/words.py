"""Headings of the parts of the worklist, and a sentence about each for those who deal with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.models import WorkItem

Kind = WorkItem.Kind


@dataclass(frozen=True, slots=True)
class PartWords:
    """The heading of a part, its short name for the bar, and what is to be done."""

    heading: Any
    short: Any
    hint: Any


WORDS: Mapping[WorkItem.Kind, PartWords] = {
    Kind.REQUEST: PartWords(
        _("Requests to answer"),
        _("Requests"),
        _("The time is kept for the patient until you accept or decline."),
    ),
    Kind.REBOOK: PartWords(
        _("Visits to rebook"),
        _("To rebook"),
        _("Somebody is away, and these visits need another time. Have times offered, or call the patients."),
    ),
    Kind.TEXT: PartWords(
        _("Texts to read"),
        _("Texts"),
        _("Call the sender if an answer is needed. What you have dealt with stays in the messages of the visit."),
    ),
    Kind.FAILURE: PartWords(
        _("Messages that could not be sent"),
        _("Not sent"),
        _("Send the message again, or call the patient."),
    ),
    Kind.UNCONFIRMED: PartWords(
        _("Not confirmed yet"),
        _("Unconfirmed"),
        _(
            "Visits of the next two days whose patients have not said that they are coming. If you reach them, record"
            " it here."
        ),
    ),
    Kind.FORMS: PartWords(
        _("Forms missing"),
        _("Forms"),
        _("These visits of the next two weeks need answers that the patient has not given. Call them, or write."),
    ),
    Kind.COVERAGE: PartWords(
        _("Insurance to check"),
        _("Insurance"),
        _("These visits of the next two weeks need insurance, and none of the patient\u2019s is checked and in force."),
    ),
    Kind.PAYMENT: PartWords(
        _("Payments that were refused"),
        _("Payments"),
        _("The bank or the payment service has refused them. Try again, waive them, or settle them otherwise."),
    ),
    Kind.CHANGE: PartWords(
        _("Changes of names and dates of birth"),
        _("Changes"),
        _("The clinic has checked these details, and the patient asks to change them."),
    ),
    Kind.RECALL: PartWords(
        _("Recall"),
        _("Recalls"),
        _("These patients have not booked, though they were told or their time has come. Call them, or end it."),
    ),
    Kind.DUPLICATE: PartWords(
        _("Possible duplicates"),
        _("Duplicates"),
        _("Two records that may be of one person. Compare them, then merge them or say that they are two people."),
    ),
    Kind.ERASURE: PartWords(
        _("Requests to delete everything"),
        _("Deletions"),
        _("These patients ask the clinic to delete their data. See what must stay, then delete the rest or decline."),
    ),
}
