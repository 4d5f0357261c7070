"""The use case of answering the questionnaires of a visit. Partial answers are saved too."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.fhir.resources import to_fhir
from clinic.models import Appointment, AuditEvent, Patient, Questionnaire, QuestionnaireResponse
from scheduling import access, questionnaires, requirements
from scheduling.access import Caller
from scheduling.booking.holds import HOLD_EXPIRED
from scheduling.errors import NotFound, RuleBroken
from scheduling.questionnaires import Entries, Item, Json, PostedForm, Sheet

Status = QuestionnaireResponse.Status
DONE = (Status.COMPLETED, Status.AMENDED)


@dataclass(frozen=True)
class VisitForm:
    """A questionnaire of a visit with its answers so far. `response` is None until there is an answer."""

    questionnaire: Questionnaire
    response: QuestionnaireResponse | None
    items: tuple[Item, ...]
    zone: ZoneInfo
    entries: Entries
    patient: Json | None = None

    @cached_property
    def sheet(self) -> Sheet:
        return questionnaires.fill(self.items, self.entries, self.zone, self.patient)

    @property
    def is_done(self) -> bool:
        return self.response is not None and self.response.status in DONE

    @property
    def is_stopped(self) -> bool:
        return self.response is not None and self.response.status == Status.STOPPED

    @property
    def version(self) -> int:
        return self.response.version if self.response else 0

    def with_entries(self, entries: Entries) -> "VisitForm":
        return replace(self, entries=entries)


def forms_of(
    appointment: Appointment, zone: ZoneInfo, language: str = "", *, patient: Patient | None = None
) -> list[VisitForm]:
    """Return the questionnaires of the appointment's service, in order, with the answers for it. Two queries.

    `patient` is the record that expressions may read; None unless the caller may see it.
    """
    if appointment.service is None:
        return []
    rows = QuestionnaireResponse.objects.filter(appointment=appointment, deleted_at=None)
    responses = {response.questionnaire_id: response for response in rows.exclude(status=Status.ENTERED_IN_ERROR)}
    return [
        form(questionnaire, responses.get(questionnaire.pk), zone, language, patient=patient)
        for questionnaire in requirements.active_questionnaires(appointment.service)
    ]


def form(
    questionnaire: Questionnaire,
    response: QuestionnaireResponse | None,
    zone: ZoneInfo,
    language: str = "",
    *,
    patient: Patient | None = None,
) -> VisitForm:
    """Return one questionnaire with its answers, and with initial values from the patient's record."""
    items = questionnaires.items_of(questionnaire, language)
    record = to_fhir(patient) if patient and questionnaires.uses_patient(items) else None
    items = questionnaires.prefill(items, record)
    answers = None if response is None else response.item
    return VisitForm(questionnaire, response, items, zone, questionnaires.initial_entries(items, answers, zone), record)


def may_answer(appointment: Appointment, *, now: datetime) -> bool:
    """True if the questions can be answered: for a hold, a request, and a booked visit that has not begun.

    After the hold has expired too, since the answers are copied to the patient's next hold.
    """
    has_expired = appointment.status == "cancelled" and appointment.cancelation_reason == HOLD_EXPIRED
    return has_expired or requirements.accepts_answers(appointment, now=now)


@dataclass(frozen=True, kw_only=True)
class AnswerRequest:
    """The answers that a page with `items` of a form sent. With `done` they become completed, if nothing is missing.

    `version` is the one that the page has read.
    """

    form: VisitForm
    posted: PostedForm
    items: Iterable[Item]
    done: bool = False
    version: int | None = None


@transaction.atomic
def answer(appointment: Appointment, request: AnswerRequest, *, caller: Caller, now: datetime) -> VisitForm:
    """Save the answers.

    If they have changed since the page was read, nothing is saved, and the form with the new entries is returned. An
    answer with a red flag stops the response at once. Raises RuleBroken if it is too
    late to answer, and NotFound if the caller may not see the visit.
    """
    if not may_answer(appointment, now=now):
        raise RuleBroken(_("These questions can no longer be answered. Please call the clinic."))
    form, version = request.form, request.version
    patient = _lock(appointment, caller).patient_id  # the patient may have been set since the page was read
    row = _locked_row(appointment, form.questionnaire)
    stored = form if row is None else form.with_entries(questionnaires.initial_entries(form.items, row.item, form.zone))
    filled = stored.with_entries(questionnaires.merge(request.items, stored.entries, request.posted))
    if version is not None and version != (row.version if row else 0):
        return replace(filled, response=row)
    row = row or _new_row(appointment, form.questionnaire)
    before = row.status
    answers = filled.sheet.as_items()
    status = _status(row, appointment, filled.sheet, is_same=answers == row.item, done=request.done)
    if row.pk is None or answers != row.item or status != before:
        row.item, row.status, row.last_updated = answers, status, now
        row.patient_id = patient
        row.version += row.pk is not None
        if status in DONE:
            row.authored = now
        row.save()
        if status != before and status != Status.IN_PROGRESS:
            _audit(status, appointment, caller, now)
    return replace(filled, response=row)


def _status(row: QuestionnaireResponse, appointment: Appointment, sheet: Sheet, *, is_same: bool, done: bool) -> Status:
    if sheet.red_flags:
        return Status.STOPPED
    if row.status in DONE and is_same:
        return Status(row.status)
    if not (done and sheet.is_complete):
        return Status.IN_PROGRESS
    was_given = row.authored is not None and appointment.status == Appointment.Status.BOOKED
    return Status.AMENDED if was_given else Status.COMPLETED


def _lock(appointment: Appointment, caller: Caller) -> Appointment:
    """Lock the appointment and return its current row, so that two requests do not create two responses."""
    visible = access.visible(Appointment, caller).filter(pk=appointment.pk)
    locked = visible.select_for_update(no_key=True).first()
    if locked is None:
        raise NotFound(f"There is no {appointment.reference}.")
    return locked


def _locked_row(appointment: Appointment, questionnaire: Questionnaire) -> QuestionnaireResponse | None:
    rows = QuestionnaireResponse.objects.filter(appointment=appointment, questionnaire=questionnaire, deleted_at=None)
    return rows.exclude(status=Status.ENTERED_IN_ERROR).select_for_update().first()


def _new_row(appointment: Appointment, questionnaire: Questionnaire) -> QuestionnaireResponse:
    return QuestionnaireResponse(appointment=appointment, questionnaire=questionnaire, item=[])


def _audit(status: str, appointment: Appointment, caller: Caller, now: datetime) -> None:
    """Write the audit line for completed or stopped answers, in the same transaction."""
    access.audit_event(
        "stop-answers" if status == Status.STOPPED else "answer",
        AuditEvent.Action.UPDATE,
        caller=caller,
        now=now,
        appointment=appointment,
        patient_id=appointment.patient_id,
    ).save()
