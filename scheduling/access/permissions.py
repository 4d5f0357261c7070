"""Permissions for operations, by the caller's role and by whose rows they concern."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import (
    Appointment,
    Bookable,
    HealthcareService,
    Location,
    Patient,
    RelatedPerson,
    Schedule,
    ServiceRequest,
)
from clinic.translations import Sentence, text_of
from scheduling.access.callers import Caller, calendars
from scheduling.access.resource_rules import works_with
from scheduling.access.roles import Action, Bounds
from scheduling.access.scope_filters import has_all_scopes, has_scope
from scheduling.access.scopes import INTERACTIONS
from scheduling.access.write_rules import may_write_some
from scheduling.errors import Forbidden, RuleBroken


def require(caller: Caller, resource_type: str, interaction: str) -> None:
    """Raise Forbidden unless the caller may do this interaction on at least some resources of the type.

    For an app, both its scopes and its person must allow it.
    """
    if caller.client and not has_scope(caller, resource_type, interaction):
        raise Forbidden(f"The token has no scope to {INTERACTIONS[interaction]} {resource_type} resources.")
    if caller.is_system:
        return
    reads = interaction in "rs" and caller.user is not None
    if not reads and not may_write_some(caller, resource_type, interaction):
        raise Forbidden(f"You may not {INTERACTIONS[interaction]} {resource_type} resources.")


def searchable_types(caller: Caller, kinds: Iterable[str]) -> list[str]:
    """The given types that the caller may search for. Raises Forbidden if there are none."""
    found = [kind for kind in kinds if _may(caller, kind, "s")]
    if not found:
        raise Forbidden("You may not search for any resources.")
    return found


def may_find(caller: Caller) -> None:
    """Raise Forbidden unless the caller may search for free times.

    Free times name nobody: every signed-in person may search, and software with a scope to search for Appointments or
    Slots.
    """
    if caller.client and not (has_scope(caller, "Appointment", "s") or has_scope(caller, "Slot", "s")):
        raise Forbidden("The token has no scope to search for Appointments or Slots.")
    if not caller.client and caller.user is None:
        raise Forbidden("Sign in to search for times.")


def may_match(caller: Caller) -> None:
    """Raise Forbidden unless the caller may search for a patient by demographics: staff and software, among visible
    patients.
    """
    require(caller, "Patient", "s")
    if not caller.is_system and not caller.is_staff:
        raise Forbidden(_("Only clinic staff can search for patients."))


def may_merge(caller: Caller) -> None:
    """Raise Forbidden unless the caller may merge patients' records: software with the scope, administrators and the
    front desk, who may change every record.
    """
    require(caller, "Patient", "u")
    if not (caller.is_system or caller.runs_desk):
        raise Forbidden(_("Only the clinic can merge records."))


def may_import(caller: Caller) -> None:
    """Raise Forbidden unless the caller may take over the lists of another system: owners, managers, administrators,
    and software that may write every resource.
    """
    if not (has_all_scopes(caller) or (not caller.client and caller.bounds(Action.IMPORT).everywhere)):
        raise Forbidden(_("Only owners and managers import lists."))


def may_export_all(caller: Caller) -> None:
    """Raise Forbidden unless the caller may download everything as FHIR: owners and administrators."""
    if caller.client or not caller.bounds(Action.EXPORT).everywhere:
        raise Forbidden(_("Only owners export everything."))


def importer_of(caller: Caller) -> Caller:
    """Return a caller who may write every resource type of an import's lists. Raises Forbidden."""
    may_import(caller)
    return replace(caller, is_importing=True)


def may_book(
    caller: Caller,
    service: HealthcareService,
    patients: Iterable[Patient],
    *,
    bookables: Collection[int],
    sites: Collection[int | None],
    moved: Appointment | None = None,
    referral: ServiceRequest | None = None,
) -> None:
    """Raise Forbidden unless the caller may take this time on `bookables` at `sites` (primary keys).

    Software with the scope and administrators book for anyone; the front desk books on the calendars of its sites, a
    practitioner on their own. A patient books services open to patients, for themselves and those they care for, and
    others by a `referral`. A guest holds a time before giving their name. With a manage link, only its visit may be
    `moved`.
    """
    if caller.client and moved is None and not has_scope(caller, "Appointment", "c"):
        raise Forbidden("The token has no scope to create Appointments.")
    if caller.is_system or manages(caller, bookables=bookables, sites=sites):
        return
    if caller.is_staff and not caller.patients:
        raise Forbidden(_("You can book only on calendars you work with."))
    by_link = moved is not None and caller.holds_link_of(moved)
    if caller.user is None and not caller.guest and not by_link:
        raise Forbidden(_("Only patients and staff can book."))
    if service.bookable_by == HealthcareService.BookableBy.STAFF:
        text = _("%(service)s is booked by the clinic. Please call us.")
        raise Forbidden(Sentence(text, service=text_of(service, "name")))
    by_referral = referral is not None or (moved is not None and moved.referral_id is not None)
    if service.bookable_by == HealthcareService.BookableBy.REFERRED and not by_referral:
        text = _("%(service)s is booked with a referral. Use the link that you were given, or call us.")
        raise Forbidden(Sentence(text, service=text_of(service, "name")))
    if referral is not None:
        may_use_referral(caller, referral)
    for patient in patients:
        if moved is None:
            may_be_for(caller, patient, referral)
        else:
            _require_acts_for(caller, patient, referral or moved.referral)


def may_wait(caller: Caller, service: HealthcareService, patient: Patient) -> None:
    """Raise Forbidden unless the caller may put the patient on the waiting list of the service.

    Software with the scope, administrators, and staff with a calendar that offers the service may; so may whoever could
    book it for the patient, if it has a waiting list.
    """
    if caller.client and not has_scope(caller, "Appointment", "c"):
        raise Forbidden("The token has no scope to create Appointments.")
    if caller.is_system or runs_waitlist(caller, service):
        return
    if service.bookable_by != HealthcareService.BookableBy.PATIENTS or not service.has_waitlist:
        raise Forbidden(Sentence(_("%(service)s has no waiting list."), service=text_of(service, "name")))
    if caller.user is None and not caller.guest and not caller.visit:
        raise Forbidden(_("Only patients and staff can join the waiting list."))
    may_be_for(caller, patient)


def runs_waitlist(caller: Caller, service: HealthcareService | None) -> bool:
    """True if the caller is staff with a calendar that offers the service."""
    if caller.runs_clinic:
        return True
    if service is None or not caller.worker.is_staff:
        return False
    return calendars(caller.worker).filter(Q(offers_all_services=True) | Q(services=service)).exists()


def could_book(caller: Caller, service: HealthcareService, schedule: int) -> bool:
    """True if `may_book` would allow a visit on this calendar (a primary key), so that a proposal makes sense.

    It needs no query for each calendar, and no patient.
    """
    if caller.is_system or caller.is_administrator or schedule in caller.worker.own_calendars:
        return True
    match service.bookable_by:
        case HealthcareService.BookableBy.PATIENTS:
            is_open = True
        case HealthcareService.BookableBy.REFERRED:
            is_open = service.pk in caller.referred_services
        case _:
            is_open = False
    return is_open and (bool(caller.patients) or not caller.is_staff)


def may_refer(caller: Caller) -> None:
    """Raise Forbidden unless the caller is a referrer, who refers patients on the pages."""
    if caller.client or not caller.is_referrer:
        raise Forbidden(_("Only referrers can refer patients."))


def may_use_referral(caller: Caller, referral: ServiceRequest) -> None:
    """Raise Forbidden unless a caller who is neither staff nor software may book with this referral.

    Its patient and their carers may, the referrer, and whoever has opened its link and proven to know the patient whom
    it names, if it names one.
    """
    is_own = referral.patient_id is not None and referral.patient_id in caller.patients
    is_referrers = caller.user is not None and referral.referred_by_id == caller.user.pk
    opened = caller.tickets if referral.patient_id is None else caller.proven_tickets
    if not (is_own or is_referrers or referral.fhir_id in opened):
        raise Forbidden(_("You can use only a referral that was made for you. Open its link again."))


def may_be_for(caller: Caller, patient: Patient, referral: ServiceRequest | None = None) -> None:
    """Raise Forbidden unless a caller who is neither staff nor software may book for this patient.

    A signed-in person books for themselves and those they care for. A guest books for a patient without an account,
    once the page has verified the address. A manage link is for the patient of its visit, and a `referral` for its own.
    Raises RuleBroken for a patient whom the clinic has barred from online booking.
    """
    _require_acts_for(caller, patient, referral)
    if patient.barred_online:
        raise RuleBroken(_barred_text(), expression="Appointment.participant")


def _barred_text() -> str:
    """The sentence for a patient who is barred from online booking. It never says why."""
    from clinic import phones  # slow to load, and this is rare

    if settings.CLINIC_PHONE:
        text = _("Please call us on %(phone)s to book this visit. We arrange it with you by phone.")
        return text % {"phone": phones.display(settings.CLINIC_PHONE)}
    return _("Please call us to book this visit. We arrange it with you by phone.")


def _require_acts_for(caller: Caller, patient: Patient, referral: ServiceRequest | None) -> None:
    if patient.pk in caller.patients:
        return
    if referral is not None and referral.patient_id == patient.pk:
        may_use_referral(caller, referral)
        return
    if caller.visit and caller.visit_patient in ("", patient.reference):
        visits = Appointment.objects.filter(Q(patient=patient) | Q(other_patients__patient=patient))
        if visits.filter(fhir_id=caller.visit, deleted_at=None).exists():
            return
    if caller.user is None and caller.guest and patient.user_id is None:
        return
    raise Forbidden(_("You can book only for yourself and for those you care for."))


def may_invite(caller: Caller) -> Patient:
    """The patient who invites a carer: people share their own record only. Raises Forbidden for all others."""
    if caller.client or caller.patient is None:
        raise Forbidden(_("Only patients can invite somebody to manage their visits."))
    return caller.patient


def may_end(caller: Caller, carer: RelatedPerson) -> None:
    """Raise Forbidden unless the caller may end the access of a carer: the patient or the carer."""
    is_patient = caller.patient is not None and carer.patient_id == caller.patient.pk
    is_carer = caller.user is not None and carer.user_id == caller.user.pk
    if caller.client or not (is_patient or is_carer):
        raise Forbidden(_("Only the patient and the person themselves can end this."))


def may_see_answers(caller: Caller, appointment: Appointment) -> bool:
    """True unless the visit's patient shares only visits with the caller, or the caller's roles leave answers out. Who
    holds a time answers its questions.
    """
    patient = appointment.patient_id
    if patient in caller.confided:
        return True
    if patient not in caller.patients and caller.bounds(Action.ANSWERS) == caller.bounds(Action.SEE):
        return True
    is_own_hold = appointment.status == Appointment.Status.PENDING and appointment.held_by == caller.user
    return is_own_hold or (
        caller.is_staff and Appointment.objects.filter(works_with(caller, Action.ANSWERS), pk=appointment.pk).exists()
    )


def may_flag(caller: Caller) -> bool:
    """True if the caller may mark patients for the staff, such as bar them from online booking: the front desk."""
    return caller.runs_desk


def manages(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller works with all these calendars."""
    return caller.runs_clinic or _works_by(caller, bookables, sites)


def may_override(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller may override the rules of these calendars, giving a reason.

    A practitioner may not override the rules of another practitioner whose time the visit takes too.
    """
    if not manages(caller, bookables=bookables, sites=sites):
        return False
    if caller.runs_clinic or caller.desk_sites.issuperset(sites):
        return True
    return _are_own(caller.bounds(Action.RUN), bookables)


def may_overbook(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller may book an extra visit on these calendars at a time that is taken. Software may not.

    A practitioner may not overbook another practitioner whose time the visit takes too.
    """
    where = caller.bounds(Action.OVERBOOK)
    if caller.client or not (where.everywhere or _is_within(where, bookables, sites)):
        return False
    return where.everywhere or where.sites.issuperset(sites) or _are_own(where, bookables)


def may_explain(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller may learn why these calendars cannot be booked: who works with all of them, and software.

    An app needs a scope to search for Appointments.
    """
    if caller.client and not has_scope(caller, "Appointment", "s"):
        return False
    return caller.is_system or manages(caller, bookables=bookables, sites=sites)


def may_handle_payments(caller: Caller, appointment: Appointment) -> bool:
    """True if the caller may refund, waive and charge what is paid for a visit: the front desk and billing of its site,
    and who runs the clinic.
    """
    where = caller.bounds(Action.PAYMENTS)
    return where.everywhere or appointment.site_id in where.sites


def acting_for(caller: Caller, action: Action) -> Caller | None:
    """The caller without roles that do not allow this; None for software, and for those who may not do it anywhere."""
    if caller.client or not caller.bounds(action):
        return None
    return caller.worker if action == Action.RUN else caller


def may_set_up(caller: Caller) -> None:
    """Raise Forbidden unless the caller may say on the pages what the clinic consists of: its sites, people, rooms,
    devices, services and calendars. Administrators, owners and managers may.
    """
    if not caller.sets_up:
        raise Forbidden(_("Only managers set up the clinic."))


def may_set_hours(caller: Caller, schedule: Schedule | None) -> None:
    """Raise Forbidden unless the caller may change the scheduling parameters of a service on this calendar.

    Only who sets up the clinic may change those of a service as a whole (`schedule` is None).
    """
    if caller.bounds(Action.SET_UP):
        return
    if schedule is None:
        raise Forbidden(_("Only managers set the hours of a service as a whole."))
    if not _is_within(caller.bounds(Action.HOURS), [schedule.bookable_id], [schedule.site_id]):
        raise Forbidden(_("You can set hours only on calendars you work with."))


def may_announce_delay(caller: Caller, bookable: int, site: Location) -> None:
    """Raise Forbidden unless the caller may say that this person (a primary key) runs late at the site: who works with
    their calendar there.
    """
    works_there = Schedule.objects.filter(bookable=bookable, site=site, active=True, deleted_at=None).exists()
    if not works_there or not manages(caller, bookables=[bookable], sites=[site.pk]):
        raise Forbidden(_("You can do this only for calendars you work with."))


def may_record_absence(caller: Caller, bookable: int) -> Schedule:
    """Return the first calendar of this actor (a primary key) that the caller runs, on which an absence is blocked.

    Raises Forbidden if there is none.
    """
    schedule = calendars(caller, Action.RUN).filter(bookable=bookable).order_by("pk").first()
    if caller.client or schedule is None:
        raise Forbidden(_("You can do this only for calendars you work with."))
    return schedule


def _may(caller: Caller, resource_type: str, interaction: str) -> bool:
    try:
        require(caller, resource_type, interaction)
    except Forbidden:
        return False
    return True


def _works_by(caller: Caller, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    return _is_within(caller.bounds(Action.RUN), bookables, sites)


def _are_own(where: Bounds, bookables: Collection[int]) -> bool:
    """True if no other practitioner's time is among these bookables."""
    others = Bookable.objects.filter(pk__in=bookables, practitioner__isnull=False)
    return not others.exclude(practitioner__in=where.practitioners).exists()


def _is_within(where: Bounds, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    if sites and where.sites.issuperset(sites):
        return True
    own = Bookable.objects.filter(practitioner__in=where.practitioners, pk__in=bookables)
    return bool(where.practitioners) and own.exists()
