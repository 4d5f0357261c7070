"""Use cases of referrals: make one, withdraw it, and use it as the ticket of one visit.

A visit names its ticket in `basedOn`, whether it is booked on a page or by the API. The constraint
`appointment_one_for_a_ticket` decides between two that use one ticket at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import (
    Appointment,
    AuditEvent,
    Communication,
    HealthcareService,
    Medium,
    Patient,
    ServiceRequest,
)
from clinic.parking import Parking
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.booking.request import Json
from scheduling.errors import NotFound, RuleBroken
from scheduling.referrals import Referral, ReferralState, uses_ticket

BASED_ON = "basedOn"
TICKET_EXPRESSION = f"Appointment.{BASED_ON}"
BATCH = 100
AGAIN_AFTER = timedelta(hours=1)  # a link can be sent again
Status = ServiceRequest.Status
# Statuses of a visit that are reported to its referrer.
TOLD = ("booked", "fulfilled", "noshow", "cancelled")


@dataclass(frozen=True, kw_only=True)
class ReferralRequest:
    """A referral to be made. `register` returns its patient, who may be new; without it the referral names nobody.

    `patient_name` is the name as the referrer wrote it. `documents` are FHIR Attachments.
    `contact_media` are the media for which the referrer has given an address.
    """

    service: HealthcareService
    reason: str
    valid_until: datetime
    patient_name: str = ""
    contact_media: tuple[Medium, ...] = ()
    register: Callable[[], Patient] | None = None
    documents: tuple[Json, ...] = ()


@refusals()
@transaction.atomic(durable=True)
def refer(request: ReferralRequest, *, caller: Caller, now: datetime) -> ServiceRequest:
    """Make a referral of the caller, who is a referrer. Raises Forbidden."""
    access.may_refer(caller)
    assert caller.user is not None  # a referrer has signed in
    referral = ServiceRequest.objects.create(
        service=request.service,
        patient=request.register() if request.register else None,
        patient_name=request.patient_name,
        contact_media=list(request.contact_media),
        requester={"display": _name_of_referrer(caller)},
        referred_by=caller.user,
        reason=request.reason,
        authored=now,
        valid_until=request.valid_until,
        extra=_with_documents(request.documents),
        last_updated=now,
    )
    _audit("refer", AuditEvent.Action.CREATE, referral, caller=caller, now=now)
    return referral


@refusals()
@transaction.atomic(durable=True)
def withdraw(referral_id: str, *, caller: Caller, now: datetime) -> ServiceRequest:
    """Withdraw a referral, so that its link gives no visit any more.

    Raises NotFound for a referral that the caller may not withdraw, RuleBroken if a visit uses it, or if it has ended.
    """
    rows = access.withdrawable_referrals(caller).filter(fhir_id=referral_id, deleted_at=None)
    referral = rows.select_for_update(no_key=True, of=("self",)).first()
    if referral is None:
        raise NotFound(f"There is no ServiceRequest/{referral_id}.")
    if Appointment.objects.filter(uses_ticket(now), referral=referral).exists():
        raise RuleBroken(_("A visit is booked with this referral. Cancel the visit first."))
    if referral.status != Status.ACTIVE:
        raise RuleBroken(_("This referral has ended already."))
    referral.status = Status.REVOKED
    _save(referral, now)
    _audit("withdraw", AuditEvent.Action.UPDATE, referral, caller=caller, now=now)
    return referral


@refusals()
@transaction.atomic(durable=True)
def send_ticket(referral_id: str, *, caller: Caller, now: datetime) -> None:
    """Send the link of a referral to its patient, by email or else by text.

    A referrer sends it by the media for which they have given an address, so that they do not hear how else the clinic
    reaches the patient. Raises NotFound for a referral that the caller may not send, RuleBroken if its link gives no
    visit, if it was sent a short while ago, or if the patient cannot be reached.
    """
    rows = access.withdrawable_referrals(caller).filter(fhir_id=referral_id, deleted_at=None)
    row = rows.select_related("patient").select_for_update(no_key=True, of=("self",)).first()
    if row is None:
        raise NotFound(f"There is no ServiceRequest/{referral_id}.")
    visit = Appointment.objects.filter(uses_ticket(now), referral=row).first()
    if visit is not None or row.service_id is None or Referral(row, None, now).state != ReferralState.OPEN:
        raise RuleBroken(_("No visit can be booked with this link right now, so it was not sent."))
    if not can_send_again(row, now=now):
        raise RuleBroken(_("The link was sent a short while ago. You can send it again after an hour."))
    media = sending_media(row, caller)
    address = notifications.address_of(row.patient, media, now=now) if row.patient else ""
    if not address:
        raise RuleBroken(_("The clinic has no address or number to use for the patient. Give them the link yourself."))
    notifications.ticket_sent(row, address, now=now)
    _audit("send", AuditEvent.Action.EXECUTE, row, caller=caller, now=now)


def sending_media(referral: ServiceRequest, caller: Caller) -> list[Medium]:
    """The media by which the caller can send the link of a referral to its patient; none if it names nobody."""
    given = referral.contact_media if not caller.runs_desk else [Medium.EMAIL, Medium.SMS]
    possible = [Medium.EMAIL, *([Medium.SMS] if settings.SMS_ENABLED else [])]
    return [medium for medium in possible if medium in given] if referral.patient_id is not None else []


def can_send_again(referral: ServiceRequest, *, now: datetime) -> bool:
    """True if the link was not sent within the last hour, or could not be delivered. One statement."""
    latest = notifications.messages_of(referral).first()
    if latest is None or latest.status == Communication.Status.NOT_DONE:
        return True
    waits = latest.status != Communication.Status.COMPLETED
    return not waits and (latest.sent or latest.due) <= now - AGAIN_AFTER


def tell_of_ended_referrals(*, now: datetime) -> int:
    """Tell referrers of their referrals that have ended unused, each once. Returns how many."""
    told = 0
    while True:
        in_batch, tried = _tell_batch(now)
        told += in_batch
        if tried < BATCH:
            return told


@refusals()
@transaction.atomic(durable=True)
def _tell_batch(now: datetime) -> tuple[int, int]:
    """The number of referrals that were done with, and the number tried."""
    aside = Parking("tell of ended referrals", ServiceRequest, now=now)
    ended = ServiceRequest.objects.filter(
        status=Status.ACTIVE, end_told=None, valid_until__lte=now, referred_by__isnull=False, deleted_at=None
    )
    rows = list(
        ended.exclude(pk__in=aside.waiting)
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .order_by("valid_until", "pk")[:BATCH]
    )
    used = set(Appointment.objects.filter(uses_ticket(now), referral__in=rows).values_list("referral", flat=True))
    return aside.process_each(rows, lambda referral: _tell(referral, now, is_used=referral.pk in used)), len(rows)


def _tell(referral: ServiceRequest, now: datetime, *, is_used: bool) -> None:
    if not is_used:
        notifications.referral_ended(referral, now=now)
    ServiceRequest.objects.filter(pk=referral.pk).update(end_told=now)


def lock_ticket(
    extra: Json,
    service: HealthcareService,
    patients: Iterable[Patient],
    *,
    now: datetime,
    besides: Appointment | None = None,
) -> ServiceRequest | None:
    """The ticket that a new visit uses, locked until commit; None if `extra`, its other elements, names none.

    `besides` is a hold that the visit replaces. Raises RuleBroken if the ticket does not give this visit. It is locked
    after the patients and before the bookables.
    """
    ids = _named(extra)
    if not ids:
        return None
    rows = ServiceRequest.objects.filter(fhir_id__in=ids, service__isnull=False, deleted_at=None)
    tickets = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    if len(tickets) > 1:
        raise RuleBroken(_("A visit can use only one referral."), expression=TICKET_EXPRESSION)
    for ticket in tickets:
        standing = Appointment.objects.filter(uses_ticket(now), referral=ticket)
        visit = (standing.exclude(pk=besides.pk) if besides else standing).first()
        _require_usable(Referral(ticket, visit, now), service, patients)
        return ticket
    return None


def require_same_ticket(appointment: Appointment, extra: Json) -> None:
    """Raise RuleBroken if other elements of a visit, as they are to be saved, name another ticket than it uses."""
    if _named(extra) != _named(appointment.extra):
        raise RuleBroken(_("A visit keeps its referral. Book a new one with the other."), expression=TICKET_EXPRESSION)


def require_for(appointment: Appointment, patient: Patient) -> None:
    """Raise RuleBroken if the ticket of a visit is another person's."""
    ticket = appointment.referral
    if ticket is not None and ticket.patient_id not in (None, patient.pk):
        raise RuleBroken(_("This referral is for another person."), expression="Appointment.participant")


def follow(appointment: Appointment, *, now: datetime, is_correction: bool = False) -> None:
    """Let the referral of a visit follow it, and tell its referrer; nothing for a visit without one.

    The referral becomes that of the visit's patient, and is completed once the visit has taken place.
    """
    if appointment.referral_id is None:
        return
    referral = ServiceRequest.objects.select_for_update(no_key=True, of=("self",)).get(pk=appointment.referral_id)
    before = referral.status, referral.patient_id
    if appointment.status == Appointment.Status.FULFILLED:
        referral.status = Status.COMPLETED
    elif referral.status == Status.COMPLETED:
        referral.status = Status.ACTIVE
    if referral.patient_id is None:
        referral.patient_id = appointment.patient_id
    if (referral.status, referral.patient_id) != before:
        _save(referral, now)
    if appointment.status in TOLD and not is_correction:
        notifications.referral_followed(referral, appointment, now=now)


def _require_usable(referral: Referral, service: HealthcareService, patients: Iterable[Patient]) -> None:
    refusal = {
        ReferralState.WITHDRAWN: _("This referral was withdrawn. Ask for a new one."),
        ReferralState.PAUSED: _("This referral cannot be used yet."),
        ReferralState.EXPIRED: _("This referral has expired. Ask for a new one."),
    }.get(referral.state)
    if refusal is None and (referral.visit is not None or referral.state != ReferralState.OPEN):
        refusal = _("A visit is booked with this referral already.")
    if refusal is None and referral.row.service_id != service.pk:
        refusal = _("This referral is for another kind of visit.")
    if refusal is not None:
        raise RuleBroken(refusal, expression=TICKET_EXPRESSION)
    if referral.row.patient_id is not None and any(patient.pk != referral.row.patient_id for patient in patients):
        raise RuleBroken(_("This referral is for another person."), expression="Appointment.participant")


def _named(extra: Json) -> list[str]:
    """The ids of the ServiceRequests of this server that an Appointment is based on."""
    own = f"{settings.SITE_URL}/{settings.FHIR_BASE_PATH}"
    names = (str(each.get("reference", "")).removeprefix(own) for each in extra.get(BASED_ON, ()))
    kind = f"{ServiceRequest.RESOURCE_TYPE}/"
    return [name.removeprefix(kind) for name in names if name.startswith(kind)]


def _with_documents(documents: Iterable[Json]) -> Json:
    """The elements of a ServiceRequest with these Attachments: contained DocumentReferences."""
    contained = [
        {
            "resourceType": "DocumentReference",
            "id": f"document-{number}",
            "status": "current",
            "content": [{"attachment": document}],
        }
        for number, document in enumerate(documents, start=1)
    ]
    references = [{"reference": f"#{each['id']}"} for each in contained]
    return {"contained": contained, "supportingInfo": references} if contained else {}


def _name_of_referrer(caller: Caller) -> str:
    assert caller.user is not None  # a referrer has signed in
    return ", ".join(filter(None, (caller.user.get_full_name(), caller.user.refers_for)))


def _save(referral: ServiceRequest, now: datetime) -> None:
    referral.version += 1
    referral.last_updated = now
    referral.save(update_fields=["status", "patient", "version", "last_updated"])


def _audit(subtype: str, action: AuditEvent.Action, referral: ServiceRequest, *, caller: Caller, now: datetime) -> None:
    access.audit_event(
        subtype, action, caller=caller, now=now, patient_id=referral.patient_id, target=referral.reference
    ).save()
