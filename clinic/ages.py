"""A patient's age, and the age limits of a service."""

from calendar import monthrange
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import HealthcareService


def age_on(born: date, day: date) -> int:
    """Return the age in years. Birthdays of 29 February are on 1 March in other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def possible_ages(born: str, day: date) -> range:
    """Return the ages that a person can have on a day, for a full or partial birthDate; empty if it is unknown."""
    if not born:
        return range(0)
    year, month, day_of_month = [*map(int, born.split("-")), 0, 0][:3]
    first = date(year, month or 1, day_of_month or 1)
    last = date(year, month or 12, day_of_month or monthrange(year, month or 12)[1])
    return range(age_on(last, day), age_on(first, day) + 1)


def is_fit(service: HealthcareService, age: int) -> bool:
    """True if the service is for patients of this age."""
    return (service.minimum_age is None or age >= service.minimum_age) and not is_too_old(service, age)


def is_too_old(service: HealthcareService, age: int) -> bool:
    return service.maximum_age is not None and age > service.maximum_age


def limits(service: HealthcareService) -> str:
    """Return the age limits as text, such as `from 12 years` or `from 12 to 17 years`; empty if there are none."""
    least, most = service.minimum_age or None, service.maximum_age
    if least is not None and most is not None:
        return _("from %(least)d to %(most)d years") % {"least": least, "most": most}
    if least is not None:
        return ngettext("from %(count)d year", "from %(count)d years", least) % {"count": least}
    return "" if most is None else ngettext("up to %(count)d year", "up to %(count)d years", most) % {"count": most}
