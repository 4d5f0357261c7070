"""Permissions for operations, by the caller's role and by whose rows they concern."""

from collections.abc import Collection, Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Appointment, Bookable, HealthcareService, Patient, Schedule
from clinic.translations import Sentence, text_of
from scheduling.access.callers import Caller
from scheduling.access.scope_filters import has_scope
from scheduling.access.scopes import INTERACTIONS
from scheduling.access.write_rules import may_write_some
from scheduling.errors import Forbidden


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
    if not (caller.is_system or caller.is_administrator or caller.desk_sites):
        raise Forbidden(_("Only the clinic can merge records."))


def may_book(
    caller: Caller,
    service: HealthcareService,
    patients: Iterable[Patient],
    *,
    bookables: Collection[int],
    sites: Collection[int | None],
    moved: Appointment | None = None,
) -> None:
    """Raise Forbidden unless the caller may take this time on `bookables` at `sites` (primary keys).

    Software with the scope and administrators book for anyone; the front desk books on the calendars of its sites, a
    practitioner on their own. A patient books services open to patients, for themselves and those they care for. A
    guest holds a time before giving their name. With a manage link, only its visit may be `moved`.
    """
    if caller.client and moved is None and not has_scope(caller, "Appointment", "c"):
        raise Forbidden("The token has no scope to create Appointments.")
    if caller.is_system or manages(caller, bookables=bookables, sites=sites):
        return
    if caller.is_staff and not caller.patients:
        raise Forbidden(_("You can book only on calendars you work with."))
    by_link = moved is not None and caller.visit == moved.fhir_id
    if caller.user is None and not caller.guest and not by_link:
        raise Forbidden(_("Only patients and staff can book."))
    if service.bookable_by != HealthcareService.BookableBy.PATIENTS:
        text = _("%(service)s is booked by the clinic. Please call us.")
        raise Forbidden(Sentence(text, service=text_of(service, "name")))
    for patient in patients:
        may_be_for(caller, patient)


def could_book(caller: Caller, service: HealthcareService, schedule: int) -> bool:
    """True if a proposal on this calendar (a primary key) makes sense: what `may_book` would say.

    It needs no query for each calendar, and no patient.
    """
    if caller.is_system or caller.is_administrator or schedule in caller.own_calendars:
        return True
    is_open = service.bookable_by == HealthcareService.BookableBy.PATIENTS
    return is_open and (bool(caller.patients) or not caller.is_staff)


def may_be_for(caller: Caller, patient: Patient) -> None:
    """Raise Forbidden unless a caller who is neither staff nor software may book for this patient.

    A signed-in person books for themselves and those they care for. A guest books for a patient without an account,
    once the page has verified the address. A manage link is for the patient of its visit.
    """
    if patient.pk in caller.patients:
        return
    if caller.visit and caller.visit_patient in ("", patient.reference):
        visits = Appointment.objects.filter(Q(patient=patient) | Q(other_patients__patient=patient))
        if visits.filter(fhir_id=caller.visit, deleted_at=None).exists():
            return
    if caller.user is None and caller.guest and patient.user_id is None:
        return
    raise Forbidden(_("You can book only for yourself and for those you care for."))


def manages(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller works with all these calendars."""
    return caller.is_administrator or _works_by(caller, bookables, sites)


def may_override(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """True if the caller may override the rules of these calendars, giving a reason.

    A practitioner may not override the rules of another practitioner whose time the visit takes too.
    """
    if not manages(caller, bookables=bookables, sites=sites):
        return False
    if caller.is_administrator or caller.desk_sites.issuperset(sites):
        return True
    others = Bookable.objects.filter(pk__in=bookables, practitioner__isnull=False)
    return not others.exclude(practitioner=caller.practitioner).exists()


def may_set_hours(caller: Caller, schedule: Schedule | None) -> None:
    """Raise Forbidden unless the caller may change the scheduling parameters of a service on this calendar.

    Only administrators may change those of a service as a whole (`schedule` is None).
    """
    if caller.is_administrator:
        return
    if schedule is None:
        raise Forbidden(_("Only administrators set the hours of a service as a whole."))
    if not manages(caller, bookables=[schedule.bookable_id], sites=[schedule.site_id]):
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
