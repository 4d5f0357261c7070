"""The lists of a patient's page as queries, whole and in the order in which the page shows them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import QuerySet

from clinic.models import (
    Appointment,
    AuditEvent,
    Communication,
    DeskPayment,
    Patient,
    Payment,
    QuestionnaireResponse,
)
from portal.appointments.statuses import Status
from portal.appointments.visits import RESPONSES
from scheduling import access
from scheduling.access import Caller
from scheduling.participants import of_patient

LATEST_FIRST = ("-start", "-pk")
FIRST_FIRST = ("start", "pk")


@dataclass(frozen=True)
class PatientLists:
    """The lists of a patient as a member of staff sees them: of visits and payments those that they work with."""

    patient: Patient
    caller: Caller
    now: datetime

    @cached_property
    def booked(self) -> QuerySet[Appointment]:
        """Everything of the patient that has a time."""
        rows = access.staff_appointments(self.caller)
        return rows.filter(of_patient(self.patient.pk), deleted_at=None, start__isnull=False)

    @property
    def _visits(self) -> QuerySet[Appointment]:
        """The visits, without holds that have expired and what was entered in error."""
        real = self.booked.filter(suggested_for=None).exclude(status__in=(Status.ENTERED_IN_ERROR, Status.WAITLIST))
        return real.exclude(status=Status.PENDING, hold_expires_at__lte=self.now)

    @property
    def to_come(self) -> QuerySet[Appointment]:
        return self._visits.filter(end__gt=self.now).order_by(*FIRST_FIRST)

    @property
    def past(self) -> QuerySet[Appointment]:
        return self._visits.filter(end__lte=self.now).order_by(*LATEST_FIRST)

    @property
    def responses(self) -> QuerySet[QuestionnaireResponse]:
        seen = access.visible(QuestionnaireResponse, self.caller).values("pk")
        rows = RESPONSES.filter(patient=self.patient, pk__in=seen)
        return rows.exclude(status=QuestionnaireResponse.Status.ENTERED_IN_ERROR).order_by("-pk")

    @property
    def messages(self) -> QuerySet[Communication]:
        seen = access.visible(Communication, self.caller).filter(patient=self.patient, deleted_at=None)
        return seen.select_related("appointment").order_by("-due", "-pk")

    @property
    def payments(self) -> QuerySet[Payment]:
        """Payments and reservations online, the latest first."""
        rows = Payment.objects.filter(patient=self.patient, appointments__in=self.booked.values("pk")).distinct()
        return rows.prefetch_related("appointments")

    @property
    def at_desk(self) -> QuerySet[DeskPayment]:
        rows = DeskPayment.objects.filter(patient=self.patient, appointment__in=self.booked.values("pk"))
        return rows.select_related("taken_by", "appointment").order_by("-taken", "-pk")

    @property
    def audit(self) -> QuerySet[AuditEvent] | None:
        """The audit log of the patient, or None if the caller may not read it."""
        if not access.may_flag(self.caller):
            return None
        lines = access.audit_of(self.patient, self.caller).select_related(
            "user", "appointment__service", "appointment__site"
        )
        return lines.order_by("-recorded", "-pk")
