"""The worker's steps for absences: finding and holding times, telling patients, reminding them, and what is left.

A worker claims one visit at a time for a while. Each step looks at the row as it is and can be done again, so the work
of a worker that was killed is taken up where it stopped. A visit that fails is set aside and tried again later.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Greatest, Least

from clinic.models import Absence, Appointment, Rebooking
from clinic.parking import Parking
from scheduling import booking
from scheduling.absences.candidates import candidates
from scheduling.errors import SchedulingError
from scheduling.participants import is_group

TENDING = "offer times for an absence"
LEASE = timedelta(minutes=2)  # longer than it takes to find the times of one visit
REMIND_BEFORE = 0.5  # part of the time to answer that is left when a patient is reminded
MOST_ATTEMPTS = 12  # times that are tried for one visit
State = Rebooking.State


def tend(*, now: datetime) -> bool:
    """Do the next step of one visit. Returns False if nothing is due.

    The steps of visits come first; once all visits of an absence have their times, it is set when they are sent.
    """
    aside = Parking(TENDING, Rebooking, now=now)
    rebooking = _claim(aside, now)
    if rebooking is not None:
        aside.process_each([rebooking], lambda row: _step(row, now), writes=False)
        return True
    if _add_new_visits(now):
        return True
    _plan_sending(now)
    return False


def _claim(aside: Parking, now: datetime) -> Rebooking | None:
    """Claim the visit whose next step is due, skipping those claimed by other workers."""
    due = _due(now).filter(Q(claimed_until=None) | Q(claimed_until__lte=now))
    with transaction.atomic(durable=True):
        return aside.claim(
            due.select_related("absence__bookable__location").order_by("pk"), lambda rebooking: _take(rebooking, now)
        )


def _take(rebooking: Rebooking, now: datetime) -> None:
    rebooking.claimed_until = now + LEASE
    rebooking.save(update_fields=["claimed_until"])


def _due(now: datetime) -> "QuerySet[Rebooking]":
    """The visits whose next step is due."""
    length = settings.ABSENCE_TIMES_HELD_FOR * REMIND_BEFORE
    is_offered, is_booked = Q(state=State.OFFERED), Q(appointment__status=Appointment.Status.BOOKED)
    to_look_for = Q(state__in=(State.WAITING, State.WITHDRAWN, State.RETURNED))
    to_send = Q(state=State.READY, absence__send_from__lte=now)
    to_remind = is_offered & Q(reminded=None, offered__lt=now - length, expires__range=(now, now + length))
    is_over = is_offered & Q(expires__lte=now)
    was_moved = is_booked & Q(state__in=(State.READY, State.OFFERED, State.CALL), appointment__to_rebook=False)
    to_cancel = is_booked & Q(state__in=(State.OFFERED, State.CALL), cancel_from__lte=now, absence__ended=None)
    return Rebooking.objects.annotate(cancel_from=_cancel_from()).filter(
        to_look_for | to_send | to_remind | is_over | was_moved | to_cancel
    )


def _cancel_from() -> Least:
    """Return the moment from which a visit without an answer is cancelled.

    That is once the absence begins and the time to answer is over, at the latest when the visit would begin.
    """
    answered_by = Case(
        When(expires__isnull=False, then=Greatest("absence__start", "expires")),
        default=F("appointment__start"),
        output_field=DateTimeField(),
    )
    return Least(answered_by, F("appointment__start"))


def _step(rebooking: Rebooking, now: datetime) -> None:
    """Do the next step of a claimed visit."""
    pk = rebooking.pk
    if rebooking.state in (State.WITHDRAWN, State.RETURNED):
        booking.take_back(pk, now=now)
    elif not _is_affected(rebooking, now):
        booking.settle_rebooking(pk, now=now)
    elif rebooking.state == State.WAITING:
        _look_for_times(rebooking, now)
    elif rebooking.cancel_from <= now:  # type: ignore[attr-defined]  # an annotation
        booking.cancel_unanswered(pk, now=now)
    elif rebooking.expires is not None and rebooking.expires <= now:
        booking.expire_offer(pk, now=now)
    else:
        booking.tell_alternatives(pk, now=now)
    Rebooking.objects.filter(pk=pk, claimed_until=rebooking.claimed_until).update(claimed_until=None)


def _is_affected(rebooking: Rebooking, now: datetime) -> bool:
    visits = booking.affected_visits(rebooking.absence, now=datetime.min.replace(tzinfo=now.tzinfo))
    return visits.filter(pk=rebooking.appointment_id).exists()


def _look_for_times(rebooking: Rebooking, now: datetime) -> None:
    """Hold the best times for the visit, as many as there are, up to `MOST_TIMES`."""
    visit = Appointment.objects.select_related("service", "patient").get(pk=rebooking.appointment_id)
    expires = now + booking.UNDO_FOR + settings.ABSENCE_TIMES_HELD_FOR
    held = len(booking.standing_alternatives(visit, now=now))
    if visit.service is not None and not is_group(visit):
        for attempt, candidate in enumerate(candidates(visit, now=now, closed=rebooking.absence.site)):
            if held >= booking.MOST_TIMES or attempt >= MOST_ATTEMPTS:
                break
            try:
                held += booking.place_alternative(rebooking.pk, candidate.request, expires=expires, now=now) is not None
            except SchedulingError:
                continue  # somebody else has it by now, or the patient cannot have it
    booking.finish_search(rebooking.pk, expires=expires, now=now)


def _add_new_visits(now: datetime) -> bool:
    """Add Rebookings for visits that were booked into an absence since, as when a hold is confirmed. True if there are
    any.
    """
    aside = Parking(TENDING, Absence, now=now)
    added: list[bool] = []
    absences = Absence.objects.filter(offered__isnull=False, ended=None, end__gt=now).exclude(pk__in=aside.waiting)
    aside.process_each(absences, lambda absence: added.append(bool(booking.add_rebookings(absence, now=now))))
    return any(added)


def _plan_sending(now: datetime) -> None:
    """Start the time in which offering can be undone, for absences whose visits have all been searched for."""
    left = Rebooking.objects.filter(absence=OuterRef("pk"), state=State.WAITING)
    aside = Parking(TENDING, Absence, now=now)
    ready = Absence.objects.filter(~Exists(left), offered__isnull=False, send_from=None, ended=None)
    sound = ready.exclude(pk__in=aside.waiting)
    aside.process_together(sound, lambda absences: absences.update(send_from=now + booking.UNDO_FOR))
