"""Holds that others replace: they end, and what was typed for them moves to the new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from clinic.models import Appointment, QuestionnaireResponse, Slot
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking.cancellation import end_visit
from scheduling.booking.request import Json
from scheduling.booking.slots import own_bookables
from scheduling.booking.transitions import locked, require_no_suggestion

SUPPORTING = "supportingInformation"


def end_others_held(appointment: Appointment, offerings: Iterable[Offering], *, caller: Caller, now: datetime) -> None:
    """Release the other visits that are held together with a locked hold, before the time of `offerings` is taken.

    Raises ScheduleBusy if somebody changes one of them at this moment. Waiting could be a deadlock: others lock the
    visits of a series in the order of their keys, and the locked one may stand after those.
    """
    together = Q(series=appointment.series) if appointment.series else Q(pk__in=[])
    others = list(
        Appointment.objects.select_for_update(nowait=True, no_key=True, of=("self",))
        .filter(together, status=Appointment.Status.PENDING, hold_expires_at__gt=now, deleted_at=None)
        .exclude(pk=appointment.pk)
        .order_by("pk")
    )
    taken = Slot.objects.filter(appointment__in=[appointment, *others], deleted_at=None)
    own_bookables([*taken.values_list("bookable", flat=True), *(each.bookable for each in offerings)])
    for other in others:
        end_visit(other, Appointment.Status.CANCELLED, caller=caller, now=now)


@dataclass(frozen=True, slots=True)
class FormerHold:
    """The hold that several visits replace, if there is one; it is locked."""

    appointment: Appointment | None

    @classmethod
    def lock(cls, fhir_id: str | None, caller: Caller) -> "FormerHold":
        """Lock the hold with this id. Raises RuleBroken for a time that the clinic suggests."""
        former = None if fhir_id is None else locked(fhir_id, caller)
        if former is not None:
            require_no_suggestion(former)
        return cls(former)

    @property
    def held(self) -> Appointment | None:
        """The hold, if it has not ended."""
        former = self.appointment
        is_held = former is not None and former.status == Appointment.Status.PENDING and not former.is_request
        return former if is_held else None

    def end(self, offerings: Iterable[Offering], *, caller: Caller, now: datetime) -> None:
        """Release it, and what is held with it, before the time of `offerings` is taken."""
        if self.held is not None:
            end_others_held(self.held, offerings, caller=caller, now=now)
            end_visit(self.held, Appointment.Status.CANCELLED, caller=caller, now=now)

    def hand_over(self, appointment: Appointment, *, now: datetime) -> None:
        """Move what was typed for it to the first of the new visits, if that is for the same service."""
        former = self.appointment
        if former is not None and former.service_id == appointment.service_id and was_only_held(former):
            hand_over(former, appointment, now)


def was_only_held(appointment: Appointment) -> bool:
    """True if it is a hold, or was one that ended without being booked: its participants had not accepted yet."""
    return any(each.get("status") == "tentative" for each in appointment.participant)


def hand_over(former: Appointment, appointment: Appointment, now: datetime) -> None:
    """Move the answers, notes and choices of an ended hold to the hold that replaces it."""
    QuestionnaireResponse.objects.filter(appointment=former, deleted_at=None).update(
        appointment=appointment, patient=appointment.patient, version=F("version") + 1, last_updated=now
    )
    appointment.comment = appointment.comment or former.comment
    same_patient = appointment.patient_id == former.patient_id
    if same_patient and SUPPORTING in former.extra:
        appointment.extra = {**appointment.extra, SUPPORTING: supporting_of(former)}
    appointment.save(update_fields=["comment", "extra"])


def supporting_of(appointment: Appointment) -> list[Json]:
    return list(appointment.extra.get(SUPPORTING, []))
