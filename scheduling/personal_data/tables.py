"""The tables that have rows about a person, and what happens to these rows when the person is deleted.

A table that can name a patient belongs here: the export reads it, and the erasure deletes or empties its rows. A test
looks for every column that refers to a patient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import (
    Appointment,
    AppointmentResponse,
    AuditEvent,
    CalendarFeed,
    CardPhoto,
    CareTeam,
    Communication,
    Coverage,
    DeskPayment,
    DetailsChange,
    DuplicatePair,
    Encounter,
    Event,
    EventDelivery,
    Launch,
    MessagePreferences,
    Patient,
    PatientMerge,
    PatientNote,
    Payment,
    PaymentOrder,
    QuestionnaireResponse,
    RelatedPerson,
    Resource,
    Schedule,
    ServiceRequest,
    Slot,
    Subscription,
    Task,
    User,
    WaitlistCall,
)
from scheduling import access
from scheduling.personal_data.person import Person


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of data: its rows of a person, and its name in words. `why` is the reason for which rows are kept without
    the person; empty for those that are deleted.
    """

    name: str
    words: Any
    model: type[Model]
    condition: Callable[[Person], Q]
    why: Any = ""

    def rows(self, person: Person) -> QuerySet[Any]:
        return self.model._default_manager.filter(self.condition(person))


def _about(model: type[Resource]) -> Callable[[Person], Q]:
    """The condition for resources that are about the person, by the rule of scopes, visibility and audit."""
    return lambda person: reduce(or_, (access.of_patient(model.RESOURCE_TYPE, key) for key in person.keys))


def _of_patient(person: Person) -> Q:
    return Q(patient__in=person.keys)


def _about_or_at_own_visit(model: type[Resource]) -> Callable[[Person], Q]:
    about = _about(model)
    return lambda person: about(person) | Q(patient=None, appointment__in=person.own_visits)


def _messages(person: Person) -> Q:
    """Messages about the person, from and to them, also as somebody who cares for others."""
    about = _about_or_at_own_visit(Communication)(person)
    return about | Q(Q(patient=None) | Q(patient__in=person.cared_for), address__in=person.addresses)


def _are_counted() -> Q:
    """The condition for messages that the reports count."""
    failed = Q(status=Communication.Status.NOT_DONE, attempts__gt=0)
    return (Q(sent__isnull=False) | failed) & ~Q(event=Event.REPLY)


def _responses(person: Person) -> Q:
    """Answers of participants at own visits, and those of the person and their carers at others' visits."""
    own = Q(actor__reference__in=sorted(person.references))
    at_others = _at_visits(person) | Q(appointment__patient__in=person.cared_for)
    return Q(appointment__in=person.own_visits) | (own & at_others)


def _people(person: Person) -> Q:
    """Carers of the person, and the person as a carer of others."""
    return Q(pk__in=[carer.pk for carer in (*person.carers, *person.caring)])


def _referrals(person: Person) -> Q:
    return _of_patient(person) | Q(patient=None, visits__in=person.own_visits)


def _visits(person: Person) -> Q:
    return Q(pk__in=[visit.pk for visit in person.visits])


def _at_visits(person: Person) -> Q:
    return Q(appointment__in=[visit.pk for visit in person.visits])


def _audit(person: Person) -> Q:
    """The lines about the person, about their visits, and of what they did."""
    return _of_patient(person) | Q(patient=None, appointment__in=person.own_visits) | _by_account(person)


def _by_account(person: Person) -> Q:
    return Q(user=person.own_account, user__isnull=False)


def _account(person: Person) -> Q:
    return Q(pk=person.own_account.pk) if person.own_account is not None else Q(pk__in=())


def _needed_account(person: Person) -> Q:
    is_needed = person.account is not None and person.own_account is None
    return Q(patient__in=person.keys) if is_needed else Q(pk__in=())


DELETED: tuple[Table, ...] = (
    Table(
        "records",
        _("Name, date of birth, contact data, numbers, needs and flags, with all earlier versions"),
        Patient,
        lambda person: Q(pk__in=person.keys),
    ),
    Table("account", _("The account, with its sessions and ways to sign in"), User, _account),
    Table(
        "messages",
        _("Messages that were not sent, and texts from the patient"),
        Communication,
        lambda person: _messages(person) & ~_are_counted(),
    ),
    Table("forms", _("Answers to forms"), QuestionnaireResponse, _about_or_at_own_visit(QuestionnaireResponse)),
    Table("notes", _("Internal notes"), PatientNote, lambda p: _of_patient(p) | Q(appointment__in=p.own_visits)),
    Table("cards", _("Photos of insurance cards"), CardPhoto, lambda person: Q(coverage__beneficiary__in=person.keys)),
    Table("coverages", _("Insurance"), Coverage, _about(Coverage)),
    Table("care-teams", _("Care teams"), CareTeam, _about(CareTeam)),
    Table("recalls", _("Reminders to be seen again"), Task, _about(Task)),
    Table("responses", _("Answers to invitations to visits"), AppointmentResponse, _responses),
    Table("referrals", _("Referrals"), ServiceRequest, _referrals),
    Table("calls", _("Calls about the waiting list"), WaitlistCall, lambda p: Q(entry__in=[v.pk for v in p.visits])),
    Table("carers", _("People who arrange visits"), RelatedPerson, _people),
    Table("changes", _("Requested changes of the name or date of birth"), DetailsChange, _of_patient),
    Table("preferences", _("Choices about messages"), MessagePreferences, _of_patient),
    Table("feeds", _("Calendar subscriptions"), CalendarFeed, _of_patient),
    Table("apps", _("Apps with access"), Launch, lambda p: _of_patient(p) | _by_account(p)),
    Table("subscriptions", _("Notifications to apps"), Subscription, _by_account),
    Table("duplicates", _("Possible duplicates"), DuplicatePair, lambda p: Q(first__in=p.keys) | Q(second__in=p.keys)),
    Table("merges", _("Merges of records"), PatientMerge, lambda p: Q(source__in=p.keys) | Q(target__in=p.keys)),
    Table(
        "deliveries",
        _("Copies of what was sent to other software"),
        EventDelivery,
        lambda person: Q(event__appointment__in=[visit.pk for visit in person.visits]),
    ),
)
KEPT: tuple[Table, ...] = (
    Table(
        "staff-account",
        _("The account"),
        User,
        _needed_account,
        _("The person also works here or refers patients. The account no longer leads to a patient\u2019s record."),
    ),
    Table(
        "visits",
        _("Past and cancelled visits"),
        Appointment,
        _visits,
        _("Time, service, practitioner, place and outcome stay for the reports, and so that no time is taken twice."),
    ),
    Table("slots", _("Time that visits took"), Slot, _at_visits, _("It shows when the calendars were taken.")),
    Table(
        "encounters",
        _("When visits began and ended"),
        Encounter,
        _about_or_at_own_visit(Encounter),
        _("It shows which visits took place."),
    ),
    Table(
        "sent",
        _("Messages that were sent"),
        Communication,
        lambda person: _messages(person) & _are_counted(),
        _("Only their kind and time stay, for the reports: no address and no text."),
    ),
    Table(
        "payments",
        _("Payments"),
        Payment,
        _of_patient,
        _("Amounts and dates stay for as long as the law on accounts says, with the payment service\u2019s number."),
    ),
    Table(
        "desk payments",
        _("Payments at the desk"),
        DeskPayment,
        _of_patient,
        _("Amounts, dates and receipts stay for as long as the law on accounts says."),
    ),
    Table(
        "orders",
        _("Refunds and charges"),
        PaymentOrder,
        lambda person: Q(payment__patient__in=person.keys),
        _("They belong to the accounts of the payments."),
    ),
    Table(
        "calendar",
        _("The patient\u2019s own calendar"),
        Schedule,
        lambda person: Q(bookable__patient__in=person.keys),
        _("Past visits took time in it."),
    ),
    Table(
        "audit",
        _("Lines of the audit log"),
        AuditEvent,
        _audit,
        _("Who did what and when must stay provable. The lines have a random number in place of the patient."),
    ),
)
