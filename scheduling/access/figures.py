"""The figures of reports that a member of staff sees: those of the part of the clinic that their roles let them see."""

from django.db.models import Q, QuerySet

from clinic.models import MessageFigures, TimeFigures, VisitFigures
from scheduling.access.callers import Caller, calendars
from scheduling.access.roles import Action


def visit_figures(caller: Caller) -> QuerySet[VisitFigures]:
    """The figures of visits at the sites and with the practitioners that the caller sees."""
    seen = caller.bounds(Action.SEE)
    if seen.everywhere:
        return VisitFigures.objects.all()
    return VisitFigures.objects.filter(Q(site__in=seen.sites) | Q(practitioner__in=seen.practitioners))


def time_figures(caller: Caller) -> QuerySet[TimeFigures]:
    """The figures of the calendars that the caller sees."""
    if caller.sees_clinic:
        return TimeFigures.objects.all()
    return TimeFigures.objects.filter(schedule__in=calendars(caller))


def message_figures(caller: Caller) -> QuerySet[MessageFigures]:
    """The figures of messages about visits at the sites that the caller sees."""
    seen = caller.bounds(Action.SEE)
    if seen.everywhere:
        return MessageFigures.objects.all()
    return MessageFigures.objects.filter(site__in=seen.sites)
