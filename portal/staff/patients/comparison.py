"""Two patients' records side by side: each field of both, and what is chosen of them for the merged record."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic import phones
from clinic.models import Appointment, Coverage, Patient, PatientNote, RelatedPerson
from clinic.patient_text import birth_date_text
from portal.common import languages
from portal.details.summary import address_lines
from scheduling.participants import of_patient

# The columns and elements of a record that each choice takes.
FIELDS: dict[str, tuple[Any, frozenset[str]]] = {
    "name": (_("Name"), frozenset({"prefix", "given", "family", "name"})),
    "born": (_("Date of birth"), frozenset({"birth_date", "birthDate"})),
    "gender": (_("Gender"), frozenset({"gender"})),
    "phone": (_("Phone"), frozenset({"phone"})),
    "email": (_("Email"), frozenset({"email"})),
    "address": (_("Address"), frozenset({"address"})),
    "language": (_("Language for messages"), frozenset({"language"})),
}


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A field of two records. `takes_source` is the choice offered first: the value of the record that has one."""

    name: str
    label: Any
    target: str
    source: str
    takes_source: bool

    @property
    def is_equal(self) -> bool:
        return self.target == self.source


def compare(target: Patient, source: Patient) -> list[ComparedField]:
    """Return the fields of both records."""
    there, others = _values(target), _values(source)
    return [
        ComparedField(name, label, there[name], others[name], not there[name] and bool(others[name]))
        for name, (label, _columns) in FIELDS.items()
    ]


def taken(names: list[str]) -> frozenset[str]:
    """Return the columns and elements of these fields."""
    return frozenset().union(*(FIELDS[name][1] for name in names if name in FIELDS))


def _values(patient: Patient) -> dict[str, str]:
    return {
        "name": " ".join(filter(None, (patient.prefix, patient.given, patient.family))),
        "born": birth_date_text(patient),
        "gender": str(patient.get_gender_display()) if patient.gender else "",
        "phone": phones.display(patient.phone) if patient.phone else "",
        "email": patient.email,
        "address": ", ".join(address_lines(patient)),
        "language": str(dict(languages.names()).get(patient.language, patient.language)),
    }


@dataclass(frozen=True, slots=True)
class Belongings:
    """The numbers of what a record has, all of which the merged record keeps."""

    visits: int
    coverages: int
    carers: int
    notes: int
    numbers: str
    signs_in: bool


def belongings(patient: Patient) -> Belongings:
    """Count what belongs to a record. Four queries."""
    return Belongings(
        visits=Appointment.objects.filter(of_patient(patient.pk), deleted_at=None).count(),
        coverages=Coverage.objects.filter(beneficiary=patient, deleted_at=None).count(),
        carers=RelatedPerson.objects.filter(patient=patient, deleted_at=None).count(),
        notes=PatientNote.objects.filter(patient=patient, ended=None).count(),
        numbers=", ".join(str(each.get("value", "")) for each in patient.identifier),
        signs_in=patient.user_id is not None,
    )
