"""The columns of the worklist as a CSV file."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from clinic import patient_text, phones
from clinic.models import Patient, Resource, WorkItem
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns, VisitColumns
from portal.staff.worklist.worklist import WorkEntry

Kind = WorkItem.Kind


def _patient(entry: WorkEntry) -> Patient | None:
    if entry.kind == Kind.DUPLICATE:
        return entry.row.first  # type: ignore[no-any-return]
    return entry.visit.appointment.patient if entry.visit else getattr(entry.row, "patient", None)


def _other(entry: WorkEntry) -> Patient | None:
    return entry.row.second if entry.kind == Kind.DUPLICATE else None


def _about(entry: WorkEntry) -> Iterable[Resource]:
    named = [entry.visit.appointment] if entry.visit else [_patient(entry), _other(entry)]
    return [each for each in named if each is not None]


WORKLIST: CsvList[WorkEntry] = CsvList(
    name="worklist",
    about=_about,
    columns=(
        Column(_("What is waiting"), lambda entry: entry.words.heading),
        PatientColumns(_patient),
        Column(_("Other record"), lambda entry: patient_text.with_note(other) if (other := _other(entry)) else None),
        Column(_("Sender"), lambda entry: phones.display(entry.row.address) if entry.kind == Kind.TEXT else None),
        VisitColumns(lambda entry: entry.visit),
        Column(_("Who deals with it"), lambda entry: entry.owner.display_name if entry.owner else None),
        DateColumn(_("Is put off until"), lambda entry: entry.put_off_until),
    ),
)
