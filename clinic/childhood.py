"""The end of childhood: the day from which a record is the patient's own, and parents lose their access to it.

It is computed from the birth date, by the clinic's clock, whenever somebody asks: no task has to run on the day.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from clinic.ages import age_on
from clinic.country import clinic_zone
from clinic.fhir.codes import PARENTAL_ROLES
from clinic.models import RelatedPerson


def lets(carer: RelatedPerson, now: datetime) -> bool:
    """True if the carer may act for their patient: childhood is not over, or does not matter to their access."""
    if not ends_access(carer.relationship, keeps=carer.keeps_access):
        return True
    return not is_over(carer.patient.birth_date, now, has_account=carer.patient.user_id is not None)


def ends_access(relationship: list[dict[str, Any]], *, keeps: bool) -> bool:
    """True if the access of a carer ends with childhood: a parent's, unless the patient or the clinic lets it stay."""
    codings = (coding for concept in relationship for coding in concept.get("coding") or ())
    return not keeps and any(coding.get("code") in PARENTAL_ROLES for coding in codings)


def is_over(born: date | None, now: datetime, *, has_account: bool) -> bool:
    """True if the parents of somebody born on this day have no access any more.

    Without a whole birth date nobody can say when that is: staff end it. No statement for children.
    """
    if born is None or age_on(born, (now + timedelta(days=1)).date()) < settings.YOUNG_ACCESS_AGE:
        return False
    ends_by_account = has_account and not settings.PARENTS_KEEP_ACCESS
    return _age(born, now) >= (settings.YOUNG_ACCESS_AGE if ends_by_account else settings.ADULT_AGE)


def is_old_enough(born: date | None, now: datetime) -> bool:
    """True if somebody born on this day may have an account of their own; also if the day is not known."""
    return born is None or _age(born, now) >= settings.YOUNG_ACCESS_AGE


def of_age_on(born: date) -> date:
    """The first day of adulthood. A birthday of 29 February is on 1 March in other years: clinic.ages."""
    try:
        return born.replace(year=born.year + settings.ADULT_AGE)
    except ValueError:
        return date(born.year + settings.ADULT_AGE, 3, 1)


def _age(born: date, now: datetime) -> int:
    return age_on(born, now.astimezone(clinic_zone()).date())
