"""Refusals in the words of the pages."""

from django.utils.translation import gettext as _

from clinic.monitoring.refusals import count_refusal
from portal.appointments.statuses import STATUS_WORDS, Status
from scheduling.errors import IllegalTransition, SchedulingError


def refusal_text(refusal: SchedulingError) -> str:
    """Return the refusal for people, and count it.

    If the visit's status does not allow it, the text names the status as pages do.
    """
    count_refusal(refusal)
    if not isinstance(refusal, IllegalTransition):
        return str(refusal)
    word = STATUS_WORDS[Status(refusal.current)].word
    return _("This visit was changed in the meantime. It is now: %(status)s") % {"status": word}


def series_refusal_text(refusal: SchedulingError) -> str:
    """Return the refusal of several visits for people, with the number of the visit that it is about."""
    if not refusal.unnumbered:
        return " ".join(issue.text for issue in refusal.issues)
    problem = " ".join(issue.text for issue in refusal.unnumbered)
    return _("Visit %(number)s: %(problem)s") % {"number": refusal.occurrence, "problem": problem}
