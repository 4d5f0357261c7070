"""Staff who get an email about a request: the front desk of its site, its practitioners and their assistants."""

from django.db.models import Exists, OuterRef, Q

from clinic.models import Appointment, NoticeSettings, Slot, StaffNotice, User


def emails_of_staff(appointment: Appointment) -> tuple[str, ...]:
    """The email addresses of staff who can answer the request and want to know, without duplicates. One statement."""
    slots = Slot.objects.filter(
        Q(bookable__practitioner__user=OuterRef("pk"))
        | Q(bookable__practitioner__assistant_roles__user=OuterRef("pk")),
        appointment=appointment,
        deleted_at=None,
    )
    theirs = Q(desk_locations=appointment.site_id) if appointment.site_id else Q(pk__in=[])
    others = NoticeSettings.objects.exclude(email__contains=[StaffNotice.Kind.REQUEST]).filter(user=OuterRef("pk"))
    staff = User.objects.filter(theirs | Exists(slots), ~Exists(others), is_active=True).exclude(email="")
    return tuple(staff.order_by("email").values_list("email", flat=True).distinct())
