"""Staff who are told of a request: the front desk of its site and its practitioners."""

from django.db.models import Exists, OuterRef, Q

from clinic.models import Appointment, Slot, User


def emails_of_staff(appointment: Appointment) -> tuple[str, ...]:
    """The email addresses of staff who can answer the request, without duplicates. One statement."""
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None, bookable__practitioner__user=OuterRef("pk"))
    theirs = Q(desk_locations=appointment.site_id) if appointment.site_id else Q(pk__in=[])
    staff = User.objects.filter(theirs | Exists(slots), is_active=True).exclude(email="")
    return tuple(staff.order_by("email").values_list("email", flat=True).distinct())
