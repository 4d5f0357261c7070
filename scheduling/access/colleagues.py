"""Accounts of staff, found by the visits and records that they see."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic.models import Appointment, Slot, StaffRole, User
from scheduling.access.roles import PERMISSIONS, Action, Role

EVERYWHERE = (Role.OWNER, Role.MANAGER)


def staff_of_visit(visit: Appointment, action: Action = Action.SEE) -> QuerySet[User]:
    """Return the active accounts of those who may do this with the visit as staff: the reverse of `works_with`."""
    able = {role for role, actions in PERMISSIONS.items() if action in actions}
    stored = StaffRole.objects.filter(user=OuterRef("pk"), role__in=able).order_by()
    roles = stored.filter(Q(practitioner=None) & (Q(site=None) | Q(site=visit.site_id)))
    found = Q(is_superuser=True) | Q(Exists(roles))
    if Role.FRONT_DESK in able and visit.site_id is not None:
        desks = User.desk_locations.through.objects.filter(location=visit.site_id)
        found |= Q(pk__in=desks.values("user"))
    slots = Slot.objects.filter(appointment=visit, deleted_at=None, bookable__practitioner__isnull=False)
    people = slots.order_by().values("bookable__practitioner")
    if Role.PRACTITIONER in able:
        found |= Q(practitioner__in=people, practitioner__deleted_at=None)
    if Role.ASSISTANT in able:
        found |= Q(Exists(stored.filter(practitioner__in=people)))
    return User.objects.filter(found, is_active=True)


def staff_of_records() -> QuerySet[User]:
    """Return the active accounts of those who change patients' records."""
    stored = StaffRole.objects.filter(user=OuterRef("pk"), role__in=EVERYWHERE).order_by()
    desks = User.desk_locations.through.objects.values("user")
    return User.objects.filter(Q(is_superuser=True) | Q(Exists(stored)) | Q(pk__in=desks), is_active=True)
