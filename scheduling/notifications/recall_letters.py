"""Text of a message that a patient is due for a recall."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.models import Appointment, Communication, Event, Task
from clinic.time_text import month_and_year
from scheduling.notifications import links
from scheduling.notifications.visit_messages import Fact, VisitMessage

OCCASION = "recall-"


def occasion_of(recall: Task) -> str:
    """The occasion of the next message about a recall."""
    return f"{OCCASION}{recall.pk}-{recall.messages}"


def recall_of(message: Communication) -> Task | None:
    """The recall that a message is about, as it is now; None if it was deleted."""
    key = message.occasion.removeprefix(OCCASION).partition("-")[0]
    return Task.objects.select_related("service", "practitioner").filter(pk=int(key)).first() if key.isdigit() else None


def values_of(message: Communication, visit: Appointment, zone: ZoneInfo) -> dict[str, str]:
    """The values of the placeholders. `visit` is the one after which the recall was made."""
    recall = recall_of(message)
    assert recall is not None  # it was open a moment ago
    about = VisitMessage(visit, zone, Event.RECALL, message.due)
    return {
        "name": about.given,
        "clinic": settings.CLINIC_NAME,
        "phone": about.phone,
        "service": about.name if about.is_named else _("Visit"),
        "with_whom": str(recall.practitioner or "") if about.is_named else "",
        "due": month_and_year(recall.due),
        "link": links.recall_link(recall),
    }


def facts_of(values: dict[str, str], visit: Appointment) -> list[Fact]:
    """The lines of an email. The service is named only where it may be."""
    is_named = visit.service is None or visit.service.named_in_email
    lines = [
        Fact(_("For"), values["name"]),
        Fact(_("Visit"), values["service"] if is_named else ""),
        Fact(_("With"), values["with_whom"]),
        Fact(_("When"), values["due"]),
    ]
    return [line for line in lines if line.value]
