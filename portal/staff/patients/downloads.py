"""The columns of patients, of the lists of one patient and of possible duplicates as CSV files."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clinic import formats, money, patient_text
from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import DuplicatePair, Patient, Payment, QuestionnaireResponse
from portal.appointments import visits
from portal.appointments.visits import Visit
from portal.common.csv_lists import Column, Columns, CsvList, DateColumn, PatientColumns, VisitColumns
from portal.staff.patients.lists import PatientLists
from portal.staff.patients.record import AuditLine, audit_lines
from portal.staff.payments.downloads import DESK_PAYMENTS
from scheduling import notifications, questionnaires
from scheduling.notifications import TimelineEntry
from scheduling.questionnaires import ResponseSummary
from scheduling.visit_zone import zone_of_place

ListOfPatient: TypeAlias = tuple[CsvList[Any], Iterable[Any]]

PATIENTS: CsvList[Patient] = CsvList(
    name="patient finder",
    about=lambda patient: [patient],
    columns=(
        PatientColumns(lambda patient: patient),
        Column(_("Language"), lambda patient: formats.language_name(patient.language) if patient.language else None),
        Column(_("Needs"), lambda patient: ", ".join(patient_text.needs_of(patient))),
    ),
)
DUPLICATES: CsvList[DuplicatePair] = CsvList(
    name="duplicates",
    about=lambda pair: [pair.first, pair.second],
    columns=(
        PatientColumns(lambda pair: pair.first),
        Column(_("Other record"), lambda pair: patient_text.with_note(pair.second)),
        Column(_("Date of birth of the other record (ISO 8601)"), lambda pair: pair.second.born),
        Column(_("Why"), lambda pair: ", ".join(pair.reason_texts)),
    ),
)


VISIT_COLUMNS: tuple[Columns[Visit], ...] = (
    VisitColumns(lambda visit: visit),
    Column(_("Status"), lambda visit: visit.status.word),
)
MESSAGE_COLUMNS: tuple[Columns[TimelineEntry], ...] = (
    DateColumn(_("Time"), lambda entry: in_zone(entry.moment, clinic_zone())),
    Column(_("Message"), lambda entry: entry.event),
    Column(_("By"), lambda entry: entry.medium),
    Column(_("Status"), lambda entry: entry.word),
    Column(_("Why"), lambda entry: entry.why),
    Column(_("Text"), lambda entry: entry.words),
)
PAYMENT_COLUMNS: tuple[Columns[Payment], ...] = (
    DateColumn(_("Time"), lambda payment: in_zone(payment.created, clinic_zone())),
    Column(_("What for"), lambda payment: payment.get_purpose_display()),
    Column(_("Status"), lambda payment: payment.get_status_display()),
    Column(_("Amount"), lambda payment: money.decimal_of(payment.amount, payment.currency)),
    Column(_("Refunded"), lambda payment: money.decimal_of(payment.refunded, payment.currency)),
    Column(_("Currency"), lambda payment: payment.currency),
)
AUDIT_COLUMNS: tuple[Columns[AuditLine], ...] = (
    DateColumn(_("Time"), lambda line: line.when),
    Column(_("What"), lambda line: line.what),
    Column(_("Who"), lambda line: line.who),
    Column(_("About"), lambda line: line.about),
    Column(_("Reason"), lambda line: line.why),
)


def _answers_text(summary: ResponseSummary) -> str:
    """The questions with their answers, each on a line of its own."""
    answered = ((line.question, ", ".join(given.text for given in line.answers)) for line in summary.lines)
    return "\n".join(f"{question}: {answers}" for question, answers in answered if answers)


ANSWER_COLUMNS: tuple[Columns[ResponseSummary], ...] = (
    Column(_("Form"), lambda summary: summary.title),
    DateColumn(_("Answered"), lambda summary: _local(summary.response.authored)),
    DateColumn(_("Visit"), lambda summary: _local(getattr(summary.response.appointment, "start", None))),
    Column(_("Status"), lambda summary: summary.marker or None),
    Column(_("Answers"), _answers_text),
)


def _local(moment: datetime | None) -> datetime | None:
    return in_zone(moment, clinic_zone()) if moment is not None else None


def list_of_patient(lists: PatientLists, name: str) -> ListOfPatient | None:
    """Return the file and all rows of one list of a patient's page; None if the caller sees none with this name."""
    match name:
        case "to-come":
            return _list(lists, "upcoming visits", VISIT_COLUMNS), visits.at_their_sites(lists.to_come, now=lists.now)
        case "past":
            return _list(lists, "past visits", VISIT_COLUMNS), visits.at_their_sites(lists.past, now=lists.now)
        case "answers":
            return _list(lists, "forms and answers", ANSWER_COLUMNS), _summaries(lists.responses)
        case "messages":
            entries = map(notifications.timeline_entry, lists.messages)
            return _list(lists, "messages", MESSAGE_COLUMNS), entries
        case "payments":
            return _list(lists, "payments", PAYMENT_COLUMNS), lists.payments
        case "at-desk":
            return DESK_PAYMENTS, lists.at_desk.select_related("taken_by", "appointment__service", "patient", "site")
        case "audit" if lists.audit is not None:
            return _list(lists, "audit log", AUDIT_COLUMNS), audit_lines(lists.audit)
    return None


def _list(lists: PatientLists, name: str, columns: Sequence[Columns[Any]]) -> CsvList[Any]:
    """The file of a list that is about the one patient, who may be one of several in a visit."""
    patient = lists.patient
    who: Columns[Any] = PatientColumns(lambda _row: patient)
    return CsvList(name=f"{name} of a patient", about=lambda _row: [patient], columns=(who, *columns))


def _summaries(responses: Iterable[QuestionnaireResponse]) -> Iterable[ResponseSummary]:
    language = get_language() or ""
    for response in responses:
        zone = zone_of_place(response.appointment) if response.appointment else clinic_zone()
        yield questionnaires.summary_of(response, zone, language)
