"""The columns of patients and of possible duplicates as CSV files."""

from django.utils.translation import gettext_lazy as _

from clinic import formats, patient_text
from clinic.models import DuplicatePair, Patient
from portal.common.csv_lists import Column, CsvList, PatientColumns

PATIENTS: CsvList[Patient] = CsvList(
    name="patient finder",
    about=lambda patient: [patient],
    columns=(
        PatientColumns(lambda patient: patient),
        Column(_("Language"), lambda patient: formats.language_name(patient.language) if patient.language else None),
        Column(_("Needs"), lambda patient: ", ".join(patient_text.needs_of(patient))),
    ),
)
DUPLICATES: CsvList[DuplicatePair] = CsvList(
    name="duplicates",
    about=lambda pair: [pair.first, pair.second],
    columns=(
        PatientColumns(lambda pair: pair.first),
        Column(_("Other record"), lambda pair: patient_text.with_note(pair.second)),
        Column(_("Date of birth of the other record (ISO 8601)"), lambda pair: pair.second.born),
        Column(_("Why"), lambda pair: ", ".join(pair.reason_texts)),
    ),
)
