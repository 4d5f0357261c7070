"""Refusals in the words of the pages."""

from django.utils.translation import gettext as _

from portal.appointments.statuses import STATUS_WORDS, Status
from scheduling.errors import IllegalTransition, SchedulingError


def refusal_text(refusal: SchedulingError) -> str:
    """Return the refusal for people. If the visit's status does not allow it, the text names the status as pages do."""
    if not isinstance(refusal, IllegalTransition):
        return str(refusal)
    word = STATUS_WORDS[Status(refusal.current)].word
    return _("This visit was changed in the meantime. It is now: %(status)s") % {"status": word}
