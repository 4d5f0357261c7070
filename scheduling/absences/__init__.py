"""Absences at work: other times for the visits that cannot take place, found and offered one visit after another.

Staff say who is away and that other times are to be offered (scheduling.booking.absences). A worker asks the
availability engine for the nearest equal times of each visit, holds a few of them, and tells the patients
(scheduling.booking.alternatives). Each step of a visit is a transaction of its own, so that a worker that was killed is
followed by another, and a visit that fails stops no other.
"""

from scheduling.absences.log import AbsenceVisit, Progress, absence_visits, absences_of, progress_of, visits_to_rebook
from scheduling.absences.tending import tend

__all__ = ["AbsenceVisit", "Progress", "absence_visits", "absences_of", "progress_of", "tend", "visits_to_rebook"]
