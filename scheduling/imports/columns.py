"""Fields of the lists that can be imported, and guesses which column of a file has them."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.folding import joined
from clinic.models import ImportFile, ImportKind


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a list. `names` are the headers of such columns in English, Spanish and German."""

    name: str
    label: Any
    names: str
    required: bool = False


_NUMBER = "id|number|no|nr|external id|codigo|numero|id externo|nummer|kennung"
_FAMILY = "family name|last name|surname|family|lastname|apellidos|apellido|nachname|familienname|name"
_GIVEN = "given names|given name|first name|given|firstname|nombre|nombres|nombre de pila|vorname|vornamen"
_BORN = "birth date|date of birth|dob|born|birthdate|fecha de nacimiento|nacimiento|geburtsdatum|geboren|geburtstag"
_PHONE = "phone|telephone|mobile|mobile phone|cell|telefono|movil|celular|telefon|handy|mobil|telefonnummer"
_EMAIL = "email|e-mail|mail|email address|correo|correo electronico|e-mail-adresse|mailadresse"
_STREET = "street|address|address line 1|direccion|calle|domicilio|strasse|adresse|anschrift"
_STATE = "state|province|county|provincia|estado|bundesland|kanton"
_POSTAL_CODE = "postal code|zip|zip code|postcode|codigo postal|cp|plz|postleitzahl"
_PATIENT = "patient|patient id|patient number|paciente|id paciente|patientennummer|patienten-id"
_PRACTITIONER = "practitioner|doctor|provider|clinician|practitioner id|profesional|medico|behandler|arzt|ärztin"
_SITE = "site|location|branch|sede|centro|sucursal|standort|praxis"
_SERVICE = "service|services|visit type|appointment type|servicio|servicios|tipo de cita|leistung|leistungen|terminart"
_MINUTES = "minutes|duration|length|minutos|duracion|minuten|dauer"
_DAYS = "days|day|weekday|weekdays|dias|dia|tage|tag|wochentag|wochentage"
_OPENS = "from|start|opens|start time|desde|inicio|hora de inicio|von|beginn"
_CLOSES = "to|end|closes|until|end time|hasta|fin|hora de fin|bis|ende"
_START = "time|start|from|start time|hora|desde|hora de inicio|inicio|uhrzeit|beginn|von|zeit"
_NOTE = "note|comment|notes|nota|comentario|notas|notiz|kommentar|bemerkung"
_COLUMN_OF_NUMBER = Field("number", _("Number in the other system"), _NUMBER, required=True)
_NAMES = (Field("family", _("Family name"), _FAMILY, required=True), Field("given", _("Given names"), _GIVEN))
_CONTACTS = (Field("phone", _("Phone"), _PHONE), Field("email", _("Email"), _EMAIL))
FIELDS: dict[str, tuple[Field, ...]] = {
    ImportKind.PATIENTS: (
        _COLUMN_OF_NUMBER,
        *_NAMES,
        Field("born", _("Date of birth"), _BORN),
        Field("gender", _("Gender"), "gender|sex|sexo|genero|geschlecht"),
        *_CONTACTS,
        Field("street", _("Street"), _STREET),
        Field("city", _("City"), "city|town|ciudad|localidad|poblacion|stadt|ort|wohnort"),
        Field("state", _("State or province"), _STATE),
        Field("postal_code", _("Postal code"), _POSTAL_CODE),
        Field("language", _("Language"), "language|idioma|lengua|sprache"),
    ),
    ImportKind.PRACTITIONERS: (
        _COLUMN_OF_NUMBER,
        *_NAMES,
        Field("prefix", _("Title"), "title|prefix|titulo|tratamiento|titel|anrede"),
        *_CONTACTS,
    ),
    ImportKind.SERVICES: (
        _COLUMN_OF_NUMBER,
        Field("name", _("Name"), "name|service|title|nombre|servicio|leistung|bezeichnung|titel", required=True),
        Field("minutes", _("Minutes"), _MINUTES, required=True),
        Field("type", _("Service type"), "service type|type|category|tipo de servicio|tipo|leistungsart|art|kategorie"),
        Field("description", _("Description"), "description|comment|descripcion|comentario|beschreibung|kommentar"),
    ),
    ImportKind.HOURS: (
        Field("practitioner", _("Practitioner"), _PRACTITIONER, required=True),
        Field("site", _("Site"), _SITE),
        Field("services", _("Services"), _SERVICE, required=True),
        Field("days", _("Days of the week"), _DAYS, required=True),
        Field("opens", _("From"), _OPENS, required=True),
        Field("closes", _("To"), _CLOSES, required=True),
        Field("weeks", _("In which weeks"), "weeks|in which weeks|semanas|wochen"),
    ),
    ImportKind.APPOINTMENTS: (
        _COLUMN_OF_NUMBER,
        Field("patient", _("Number of the patient"), _PATIENT, required=True),
        Field("practitioner", _("Practitioner"), _PRACTITIONER, required=True),
        Field("site", _("Site"), _SITE),
        Field("service", _("Service"), _SERVICE, required=True),
        Field("day", _("Day"), "date|day|start date|fecha|dia|datum|tag", required=True),
        Field("start", _("From"), _START, required=True),
        Field("minutes", _("Minutes"), _MINUTES),
        Field("status", _("Status"), "status|state|estado|zustand"),
        Field("comment", _("Note"), _NOTE),
    ),
}


def guess(kind: str, header: Sequence[str]) -> dict[str, int]:
    """Return the numbers of the columns by the names of the fields: as they were chosen for the last file with the same
    columns, else by the names of the columns.
    """
    before = ImportFile.objects.filter(kind=kind, header=list(header)).exclude(columns={}).order_by("-pk").first()
    return before.columns if before else by_names(kind, header)


def by_names(kind: str, header: Sequence[str]) -> dict[str, int]:
    """Return the guess by the names of the columns alone. A column is for one field."""
    columns: dict[str, int] = {}
    names = [joined(name) for name in header]
    for field in FIELDS[kind]:
        found = (names.index(key) for name in _names(field) if (key := joined(name)) in names)
        column = next((column for column in found if column not in columns.values()), None)
        if column is not None:
            columns[field.name] = column
    return columns


def missing(kind: str, columns: Container[str]) -> list[Field]:
    """Return the required fields that have no column, or no cell in a line."""
    return [field for field in FIELDS[kind] if field.required and field.name not in columns]


def _names(field: Field) -> list[str]:
    return [field.name.replace("_", " "), *field.names.split("|")]
