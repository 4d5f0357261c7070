"""State of a referral, derived from its status, its end and its visit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import Appointment, Communication, ServiceRequest
from clinic.models.appointment import USES_TICKET

Status = ServiceRequest.Status
IN_VISIT = {Appointment.Status.FULFILLED.value: "done", Appointment.Status.NOSHOW.value: "no-show"}
OCCASION = "ticket-"  # of the messages with the link
ENDED = (Status.REVOKED, Status.ENTERED_IN_ERROR)


class ReferralState(StrEnum):
    """The state of a referral in one word. Only an open one gives a visit."""

    OPEN = "open"
    BOOKED = "booked"
    DONE = "done"
    NO_SHOW = "no-show"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral as of `now`, with the visit that uses it, which may be a hold."""

    row: ServiceRequest
    visit: Appointment | None
    now: datetime

    @property
    def reference(self) -> str:
        """The short reference, which people can read out on the phone."""
        return reference_of(self.row)

    @property
    def made(self) -> datetime | None:
        """The time at which it was made, by the clinic's clock."""
        return in_zone(self.row.authored, clinic_zone()) if self.row.authored else None

    @property
    def last_day(self) -> date | None:
        """The last day on which a visit can be booked with it, by the clinic's clock; None if it does not end."""
        until = self.row.valid_until
        return in_zone(until - timedelta(seconds=1), clinic_zone()).date() if until else None

    @property
    def held_until(self) -> datetime | None:
        """Until when a time is held with it, by the clinic's clock."""
        expires = self.visit.hold_expires_at if self.visit else None
        return in_zone(expires, clinic_zone()) if expires else None

    @property
    def is_held(self) -> bool:
        """True if a time is held with it, which nobody has confirmed yet."""
        return self.visit is not None and self.visit.hold_expires_at is not None

    @property
    def state(self) -> ReferralState:
        if self.row.status in ENDED:
            return ReferralState.WITHDRAWN
        if self.visit is not None and not self.is_held:
            return ReferralState(IN_VISIT.get(self.visit.status, "booked"))
        if self.row.status == Status.COMPLETED:
            return ReferralState.DONE
        if self.row.status != Status.ACTIVE:
            return ReferralState.PAUSED
        is_over = self.row.valid_until is not None and self.row.valid_until <= self.now
        return ReferralState.EXPIRED if is_over else ReferralState.OPEN


def reference_of(referral: ServiceRequest) -> str:
    return referral.fhir_id.replace("-", "")[:8].upper()


def occasion_of(referral: ServiceRequest) -> str:
    """The first part of the occasion of every message with the link of a referral."""
    return f"{OCCASION}{referral.pk}-"


def referral_of(message: Communication, *, now: datetime) -> Referral | None:
    """The referral whose link a message has, as it is now; None if it was deleted."""
    key = message.occasion.removeprefix(OCCASION).partition("-")[0]
    rows = ServiceRequest.objects.filter(pk__in=[int(key)] if key.isdigit() else [], deleted_at=None)
    return next(iter(read_referrals(rows, now=now)), None)


def uses_ticket(now: datetime) -> Q:
    """The condition for visits that use up their ticket: a hold until it expires, and what is not cancelled."""
    return Q(Q(hold_expires_at=None) | Q(hold_expires_at__gt=now), status__in=USES_TICKET, deleted_at=None)


def in_state(rows: QuerySet[ServiceRequest], state: ReferralState, *, now: datetime) -> QuerySet[ServiceRequest]:
    """The referrals of these rows that are in a state: the same rule as `Referral.state`, as a condition."""
    visits = Appointment.objects.filter(uses_ticket(now), referral=OuterRef("pk"), hold_expires_at=None)
    standing = rows.exclude(status__in=ENDED)
    unused = standing.exclude(Exists(visits))
    match state:
        case ReferralState.WITHDRAWN:
            return rows.filter(status__in=ENDED)
        case ReferralState.BOOKED:
            return standing.filter(Exists(visits.exclude(status__in=IN_VISIT)))
        case ReferralState.NO_SHOW:
            return standing.filter(Exists(visits.filter(status=Appointment.Status.NOSHOW)))
        case ReferralState.DONE:
            done = Exists(visits.filter(status=Appointment.Status.FULFILLED))
            return standing.filter(Q(done) | Q(~Exists(visits), status=Status.COMPLETED))
        case ReferralState.EXPIRED:
            return unused.filter(status=Status.ACTIVE, valid_until__lte=now)
        case ReferralState.OPEN:
            return unused.filter(Q(valid_until=None) | Q(valid_until__gt=now), status=Status.ACTIVE)
        case _:
            return unused.exclude(status__in=(Status.ACTIVE, Status.COMPLETED))


def read_referrals(rows: QuerySet[ServiceRequest], *, now: datetime) -> list[Referral]:
    """The referrals of these rows, in their order, without their documents. Two queries."""
    visits = Appointment.objects.filter(uses_ticket(now)).select_related("site", "service")
    found = rows.select_related("service", "patient", "referred_by").defer("extra")
    return list(_with_visits(found.prefetch_related(Prefetch("visits", visits, to_attr="standing_visits")), now))


def _with_visits(rows: Iterable[ServiceRequest], now: datetime) -> Iterable[Referral]:
    for row in rows:
        visits: list[Appointment] = getattr(row, "standing_visits", [])
        yield Referral(row, next(iter(visits), None), now)
