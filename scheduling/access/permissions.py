"""What somebody may do, by who they are and whose it is."""

from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _

from clinic.models import Appointment, Bookable, HealthcareService, Patient, Schedule
from scheduling.access.callers import Caller
from scheduling.access.reach import has_scope
from scheduling.access.scopes import INTERACTIONS
from scheduling.access.writing import may_write_some
from scheduling.errors import Forbidden


def require(caller: Caller, resource_type: str, interaction: str) -> None:
    """Raise Forbidden unless the caller may do this to some resource of the type at all: an app if its scopes and its
    person may.
    """
    if caller.client and not has_scope(caller, resource_type, interaction):
        raise Forbidden(f"The token has no scope to {INTERACTIONS[interaction]} {resource_type} resources.")
    if caller.is_system:
        return
    reads = interaction in "rs" and caller.user is not None
    if not reads and not may_write_some(caller, resource_type, interaction):
        raise Forbidden(f"You may not {INTERACTIONS[interaction]} {resource_type} resources.")


def searchable(caller: Caller, kinds: Iterable[str]) -> list[str]:
    """Those of the types for which the caller may search. Raises Forbidden where there are none."""
    found = [kind for kind in kinds if _may(caller, kind, "s")]
    if not found:
        raise Forbidden("You may not search for any resources.")
    return found


def may_find(caller: Caller) -> None:
    """Free times name nobody: whoever is signed in may ask for them, and software that may search for them."""
    if caller.client and not (has_scope(caller, "Appointment", "s") or has_scope(caller, "Slot", "s")):
        raise Forbidden("The token has no scope to search for Appointments or Slots.")
    if not caller.client and caller.user is None:
        raise Forbidden("Sign in to search for times.")


def may_match(caller: Caller) -> None:
    """Who works here and software look for a patient by what they know of them; among those whom they may see."""
    require(caller, "Patient", "s")
    if not caller.is_system and not caller.is_staff:
        raise Forbidden(_("Only clinic staff can search for patients."))


def may_book(
    caller: Caller,
    service: HealthcareService,
    patients: Iterable[Patient],
    *,
    bookables: Collection[int],
    sites: Collection[int | None],
    moved: Appointment | None = None,
) -> None:
    """True if the caller may take this time: `bookables` are whose it is, `sites` where.

    Software with the scope books for anyone, and so does an administrator; the front desk on the calendars of its
    sites, a practitioner on their own; a patient what is open to patients, for themselves and those they care for. A
    guest holds what is open to patients before they say who they are. By a manage link its visit is `moved`, and no
    other made.
    """
    if caller.client and moved is None and not has_scope(caller, "Appointment", "c"):
        raise Forbidden("The token has no scope to create Appointments.")
    if caller.is_system or runs(caller, bookables=bookables, sites=sites):
        return
    if caller.is_staff and not caller.patients:
        raise Forbidden(_("You can book only on calendars you work with."))
    by_link = moved is not None and caller.visit == moved.fhir_id
    if caller.user is None and not caller.guest and not by_link:
        raise Forbidden(_("Only patients and staff can book."))
    if service.bookable_by != HealthcareService.BookableBy.PATIENTS:
        raise Forbidden(_("%(service)s is booked by the clinic. Please call us.") % {"service": service.name})
    for patient in patients:
        may_be_for(caller, patient)


def could_book(caller: Caller, service: HealthcareService, schedule: int) -> bool:
    """True if it is worth while to propose a visit on this calendar (a primary key): what `may_book` would say.

    Without a query for each, and with no patient named yet.
    """
    if caller.is_system or caller.is_administrator or schedule in caller.own_calendars:
        return True
    is_open = service.bookable_by == HealthcareService.BookableBy.PATIENTS
    return is_open and (bool(caller.patients) or not caller.is_staff)


def may_be_for(caller: Caller, patient: Patient) -> None:
    """True if someone who is neither staff nor software may book for this patient.

    Who is signed in books for themselves and those they care for; a guest for someone who has no account, after the
    door has seen proof of the address; a manage link is for the patient of its visit.
    """
    if patient.pk in caller.patients:
        return
    if caller.visit and Appointment.objects.filter(fhir_id=caller.visit, patient=patient, deleted_at=None).exists():
        return
    if caller.user is None and caller.guest and patient.user_id is None:
        return
    raise Forbidden(_("You can book only for yourself and for those you care for."))


def runs(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if these are calendars that the caller works by."""
    return caller.is_administrator or _works_by(caller, bookables, sites)


def may_override(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller may do with a reason what the rules of these calendars do not allow.

    A practitioner not those of another, whose time a visit takes as well.
    """
    if not runs(caller, bookables=bookables, sites=sites):
        return False
    if caller.is_administrator or caller.desk_sites.issuperset(sites):
        return True
    others = Bookable.objects.filter(pk__in=bookables, practitioner__isnull=False)
    return not others.exclude(practitioner=caller.practitioner).exists()


def may_set_hours(caller: Caller, schedule: Schedule | None) -> None:
    """True if the caller may say when and how a service is given on a calendar: one that they work by.

    For a service as a whole, which is no one calendar's (None), only administrators may.
    """
    if caller.is_administrator:
        return
    if schedule is None:
        raise Forbidden(_("Only administrators set the hours of a service as a whole."))
    if not runs(caller, bookables=[schedule.bookable_id], sites=[schedule.site_id]):
        raise Forbidden(_("You can set hours only on calendars you work with."))


def _may(caller: Caller, resource_type: str, interaction: str) -> bool:
    try:
        require(caller, resource_type, interaction)
    except Forbidden:
        return False
    return True


def _works_by(caller: Caller, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    if sites and caller.desk_sites.issuperset(sites):
        return True
    own = Bookable.objects.filter(practitioner=caller.practitioner, pk__in=bookables)
    return caller.practitioner is not None and own.exists()
