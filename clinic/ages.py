"""How old a patient is, and for which ages a visit is."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import HealthcareService


def age_on(born: date, day: date) -> int:
    """Whole years; who was born on 29 February has their birthday on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_fit(service: HealthcareService, age: int) -> bool:
    """Whether the visit is for patients of this age."""
    least, most = service.minimum_age, service.maximum_age
    return (least is None or age >= least) and (most is None or age <= most)


def limits(service: HealthcareService) -> str:
    """from 12 years; up to 17 years; from 12 to 17 years; empty where there is no limit."""
    least, most = service.minimum_age or None, service.maximum_age
    if least is not None and most is not None:
        return _("from %(least)d to %(most)d years") % {"least": least, "most": most}
    if least is not None:
        return ngettext("from %(count)d year", "from %(count)d years", least) % {"count": least}
    return "" if most is None else ngettext("up to %(count)d year", "up to %(count)d years", most) % {"count": most}
