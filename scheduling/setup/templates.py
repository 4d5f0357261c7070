"""Templates of services: usual visits of a kind of clinic, with their lengths and what they take."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService

HOUR = 60
PRACTITIONER, ROOM, DEVICE = HealthcareService.ActorType.values
PERSON, IN_ROOM = (PRACTITIONER,), (PRACTITIONER, ROOM)


GP, DENTIST, PHYSIOTHERAPY = "gp", "dentist", "physiotherapy"
CLINIC_KINDS = ((GP, _("General practice")), (DENTIST, _("Dentist")), (PHYSIOTHERAPY, _("Physiotherapy")))


@dataclass(frozen=True, slots=True)
class ServiceTemplate:
    """A usual visit: its type by X12's code, its length in minutes, and the kinds of actor whose time it takes."""

    code: str
    name: Any
    service_type: str
    minutes: int
    requires: tuple[str, ...]
    by_video: bool = False


TEMPLATES: dict[str, tuple[ServiceTemplate, ...]] = {
    GP: (
        ServiceTemplate("gp-consultation", _("Consultation"), "98", 15, PERSON),
        ServiceTemplate("gp-long", _("Long consultation"), "98", 30, PERSON),
        ServiceTemplate("gp-check-up", _("Health check-up"), "81", 45, PERSON),
        ServiceTemplate("gp-vaccination", _("Vaccination"), "80", 10, PERSON),
        ServiceTemplate("gp-blood", _("Blood test"), "5", 10, PERSON),
        ServiceTemplate("gp-video", _("Consultation by video"), "98", 15, PERSON, by_video=True),
    ),
    DENTIST: (
        ServiceTemplate("dentist-check-up", _("Dental check-up"), "41", 30, IN_ROOM),
        ServiceTemplate("dentist-cleaning", _("Teeth cleaning"), "41", 45, IN_ROOM),
        ServiceTemplate("dentist-filling", _("Filling"), "25", 45, IN_ROOM),
        ServiceTemplate("dentist-pain", _("Toothache"), "35", 20, IN_ROOM),
        ServiceTemplate("dentist-crown", _("Crown or bridge"), "36", 90, IN_ROOM),
    ),
    PHYSIOTHERAPY: (
        ServiceTemplate("physio-first", _("First assessment"), "PT", 45, IN_ROOM),
        ServiceTemplate("physio-treatment", _("Physiotherapy"), "PT", 30, IN_ROOM),
        ServiceTemplate("physio-massage", _("Massage"), "BE", 30, IN_ROOM),
        ServiceTemplate("physio-long", _("Long treatment"), "PT", 60, IN_ROOM),
        ServiceTemplate("physio-video", _("Advice by video"), "PT", 20, PERSON, by_video=True),
    ),
}


def templates_of(kind: str, codes: Iterable[str]) -> list[ServiceTemplate]:
    """The templates of a kind of clinic with these codes."""
    codes = set(codes)
    return [template for template in TEMPLATES.get(kind, ()) if template.code in codes]


def starts_every(minutes: int) -> int:
    """Return how many minutes apart visits of this length start, so that no time is lost and they begin on the hour."""
    return gcd(minutes, HOUR)
