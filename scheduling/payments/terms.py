"""The sum that is paid before booking, the terms that patients agree to, and how much a cancellation gives back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from clinic import money, time_text
from clinic.models import Appointment, HealthcareService
from clinic.translations import text_of
from scheduling.participants import patients_of

Prepayment = HealthcareService.Prepayment


@dataclass(frozen=True)
class Terms:
    """The terms of a payment in the reader's language: sentences, and the clinic's own words."""

    sentences: tuple[str, ...]
    own_words: str

    @property
    def text(self) -> str:
        """The terms as they are kept with the agreement."""
        return "\n".join(filter(None, (*self.sentences, self.own_words)))


def sum_of(appointment: Appointment) -> int:
    """The amount that is paid before this visit is booked: for each of its patients; 0 if a card is kept, or nothing
    is asked for.
    """
    service = appointment.service
    if service is None:
        return 0
    each = {Prepayment.WHOLE.value: service.price, Prepayment.DEPOSIT.value: service.deposit}.get(service.prepayment)
    return (each or 0) * max(1, len(patients_of(appointment)))


def purpose_of(visits: Sequence[Appointment]) -> str:
    """The Prepayment for visits that are booked together: whole, deposit or card; empty for none."""
    asked = {visit.service.prepayment for visit in visits if visit.service is not None}
    return next((kind.value for kind in Prepayment if kind in asked), "")


def fee_of(visits: Sequence[Appointment]) -> int:
    """The fee for a missed visit, if a card is kept for these visits; 0 if they are paid for."""
    if purpose_of(visits) != Prepayment.CARD:
        return 0
    return max(visit.service.missed_fee or 0 for visit in visits if visit.service is not None)


def terms_of(visits: Sequence[Appointment], currency: str) -> Terms:
    """The terms for what is given before these visits are booked together."""
    services = {visit.service.pk: visit.service for visit in visits if visit.service and visit.service.prepayment}
    purpose = purpose_of(visits)
    own_words = "\n".join(dict.fromkeys(filter(None, (service.payment_terms for service in services.values()))))
    if purpose == Prepayment.CARD:
        fee = money.text(fee_of(visits), currency)
        return Terms(tuple(_card_sentences(fee, next(iter(services.values())))), own_words)
    amount = money.text(sum(map(sum_of, visits)), currency)
    paid = (
        _("You pay a deposit of %(amount)s now. It counts towards the price.")
        if purpose == Prepayment.DEPOSIT
        else _("You pay %(amount)s now.")
    )
    paid_services = [service for service in services.values() if service.prepayment != Prepayment.CARD]
    return Terms((paid % {"amount": amount}, *_refund_rules(paid_services)), own_words)


def balance_terms(visit: Appointment, amount: int, currency: str) -> Terms:
    """The terms for what is paid for a booked visit before it begins."""
    paid = _("You pay %(amount)s now.") % {"amount": money.text(amount, currency)}
    service = visit.service
    if service is None:
        return Terms((paid,), "")
    return Terms((paid, *_refund_sentences(service)), service.payment_terms)


def refund_of(
    service: HealthcareService | None, paid: int, start: datetime | None, *, now: datetime, by_clinic: bool
) -> int:
    """The part of a payment that is given back when its visit is cancelled now."""
    if by_clinic or service is None or start is None or not is_late(service, start, now=now):
        return paid
    return paid * service.late_refund // 100


def is_late(service: HealthcareService, start: datetime, *, now: datetime) -> bool:
    """True if it is too late for a cancellation to give everything back."""
    return now > start - refund_notice(service)


def refund_notice(service: HealthcareService) -> timedelta:
    """The notice before the start with which a cancellation is refunded as a whole."""
    return service.cancellation_notice if service.refund_notice is None else service.refund_notice


def _refund_rules(services: Sequence[HealthcareService]) -> Iterator[str]:
    """The sentences about refunds, once if they are the same for all services, else below the name of each."""
    rules = {service.pk: _refund_sentences(service) for service in services}
    if len(set(rules.values())) == 1:
        yield from next(iter(rules.values()))
        return
    for service in services:
        yield f"{text_of(service, 'name')}:"
        yield from rules[service.pk]


def _card_sentences(fee: str, service: HealthcareService) -> list[str]:
    keep = _("Nothing is charged now. Your card is kept by our payment provider.")
    notice = refund_notice(service)
    if notice:
        charge = _(
            "If you do not come, or cancel later than %(length)s before the visit, the clinic may charge %(fee)s."
        )
    else:
        charge = _("If you do not come, the clinic may charge %(fee)s.")
    return [keep, charge % {"fee": fee, "length": time_text.length(notice)}]


def _refund_sentences(service: HealthcareService) -> tuple[str, ...]:
    notice = refund_notice(service)
    if notice:
        text = _("If you cancel at least %(length)s before the visit, you get all of it back.")
        whole = text % {"length": time_text.length(notice)}
    else:
        whole = _("If you cancel before the visit begins, you get all of it back.")
    if service.late_refund:
        late = _("After that you get %(percent)s%% of it back.") % {"percent": service.late_refund}
    else:
        late = _("After that, or if you do not come, you get nothing back.")
    return whole, late, _("If the clinic cancels, you get all of it back.")
