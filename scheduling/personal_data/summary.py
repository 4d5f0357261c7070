"""Everything about a person in words, for the page of the exported file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _

from clinic import money, time_text
from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import (
    Appointment,
    AuditEvent,
    Communication,
    Coverage,
    DeskPayment,
    PatientNote,
    Payment,
    QuestionnaireResponse,
    ServiceRequest,
)
from clinic.patient_text import language_name, needs_of
from scheduling import questionnaires
from scheduling.participants import PRACTITIONER, participant_names
from scheduling.personal_data.person import Person


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line of the audit log. `number` stands for a member of staff; 0 for the person and for software."""

    event: AuditEvent
    number: int

    @property
    def who(self) -> str:
        if self.number:
            return _("Member of staff %(number)s") % {"number": self.number}
        return self.event.client or (_("You, or your account") if self.event.user_id else _("The system"))

    def as_json(self) -> dict[str, Any]:
        return {
            "recorded": self.event.recorded,
            "action": self.event.get_action_display(),
            "what": self.event.subtype,
            "about": self.event.target,
            "who": self.who,
            "reason": self.event.reason,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a section: what or when, and the text."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    entries: Sequence[Entry]


def sections_of(person: Person, lines: Iterable[AuditLine]) -> list[Section]:
    """Return the sections that have anything, in the reader's language."""
    sections = [
        Section(_("Who you are"), [*_identity(person)]),
        Section(_("Visits"), [_visit(visit) for visit in sorted(person.visits, key=_start, reverse=True)]),
        Section(_("Forms and answers"), [*_answers(person)]),
        Section(_("Insurance"), [*_coverages(person)]),
        Section(_("People who arrange visits"), [Entry(str(carer), carer.email) for carer in person.carers]),
        Section(_("Referrals"), [*_referrals(person)]),
        Section(_("Messages"), [*_messages(person)]),
        Section(_("Internal notes of the clinic"), [*_notes(person)]),
        Section(_("Payments"), [*_payments(person)]),
        Section(_("Account"), [*_account(person)]),
        Section(_("Who looked and who changed"), [_line(line) for line in lines]),
    ]
    return [section for section in sections if section.entries]


def _identity(person: Person) -> Iterator[Entry]:
    for record in person.records:
        found = {
            _("Name"): str(record),
            _("Born"): time_text.partial_day(record.born) if record.born else "",
            _("Gender"): record.get_gender_display(),
            _("Phone"): record.phone,
            _("Email"): record.email,
            _("Language"): language_name(record.language) if record.language else "",
            _("Access and interpreter"): ", ".join(map(str, needs_of(record))),
            _("Record number"): ", ".join(str(each.get("value", "")) for each in record.identifier),
            _("Barred from online booking"): (record.barred_reason or _("yes")) if record.barred_online else "",
            _("Treat as VIP"): _("yes") if record.vip else "",
        }
        yield from (Entry(label, text) for label, text in found.items() if text)


def _start(visit: Appointment) -> datetime:
    return visit.start or visit.created


def _visit(visit: Appointment) -> Entry:
    reason = str((visit.cancelation_reason or {}).get("text", ""))
    names = ", ".join(participant_names(visit, PRACTITIONER))
    parts = (str(visit.service or ""), names, str(visit.get_status_display()), visit.comment, reason)
    return Entry(_moment(_start(visit)), ", ".join(part for part in parts if part))


def _answers(person: Person) -> Iterator[Entry]:
    rows = QuestionnaireResponse.objects.filter(patient__in=person.keys).select_related("questionnaire").order_by("pk")
    for response in rows:
        summary = questionnaires.summary_of(response, clinic_zone())
        for line in summary.lines:
            answers = ", ".join(answer.text for answer in line.answers)
            yield Entry(f"{summary.title}: {line.question}", answers)


def _coverages(person: Person) -> Iterator[Entry]:
    for coverage in Coverage.objects.filter(beneficiary__in=person.keys).order_by("pk"):
        yield Entry(str(coverage), f"{coverage.get_status_display()}, {coverage.get_verification_display()}")


def _referrals(person: Person) -> Iterator[Entry]:
    for referral in ServiceRequest.objects.filter(patient__in=person.keys).order_by("pk"):
        yield Entry(str((referral.requester or {}).get("display", "")), referral.reason)


def _messages(person: Person) -> Iterator[Entry]:
    for message in Communication.objects.filter(patient__in=person.keys).order_by("-due", "-pk"):
        told = (message.get_event_display(), message.get_medium_display(), message.address, message.subject)
        text = ", ".join(str(part) for part in told if part)
        yield Entry(_moment(message.sent or message.due), f"{text}\n{message.body}".strip())


def _notes(person: Person) -> Iterator[Entry]:
    for note in PatientNote.objects.filter(patient__in=person.keys).order_by("-written", "-pk"):
        yield Entry(_moment(note.written), note.text)


def _payments(person: Person) -> Iterator[Entry]:
    for payment in Payment.objects.filter(patient__in=person.keys).order_by("-created", "-pk"):
        amount = money.text(payment.amount, payment.currency)
        yield Entry(
            _moment(payment.created), f"{payment.get_purpose_display()}, {payment.get_status_display()}, {amount}"
        )
    for taken in DeskPayment.objects.filter(patient__in=person.keys).order_by("-taken", "-pk"):
        words = (
            _("Paid at the desk"),
            taken.get_method_display(),
            money.text(taken.amount, taken.currency),
            taken.receipt,
        )
        yield Entry(_moment(taken.taken), ", ".join(str(word) for word in words if word))


def _account(person: Person) -> Iterator[Entry]:
    if person.account is None:
        return
    yield Entry(_("Email"), person.account.email)
    for session in UserSession.objects.filter(user=person.account).order_by("-last_seen_at"):
        yield Entry(_moment(session.last_seen_at), f"{session.user_agent}, {session.ip}")


def _line(line: AuditLine) -> Entry:
    about = line.event.target.partition("/")[0]
    text = ", ".join(
        str(part) for part in (line.event.get_action_display(), about, line.who, line.event.reason) if part
    )
    return Entry(_moment(line.event.recorded), text)


def _moment(moment: datetime) -> str:
    local = in_zone(moment, clinic_zone())
    return f"{time_text.plain_day(local)}, {time_text.clock(local)}"
