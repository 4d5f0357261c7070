"""Texts about a patient: the birth date, their needs, and a note where nothing can be booked for them."""

from django.utils.translation import gettext as _

from clinic import formats, time_text
from clinic.models import AccessNeed, Patient

SIGN_LANGUAGES = "sgn"  # the tag of all of them


def birth_date_text(patient: Patient) -> str:
    """Return the birth date, which may be partial: Mar 27, 1985; the month is a word, so that nobody misreads it."""
    return formats.day(patient.birth_date, "yMMMd") if patient.birth_date else time_text.partial_day(patient.born)


def record_note(patient: Patient | None) -> str:
    """Return why nothing can be booked for a patient (died, merged, inactive); empty if visits can be booked."""
    if patient is None:
        return ""
    if patient.has_died:
        return _("Died")
    if patient.merged_into:
        links = (link for link in patient.extra["link"] if link.get("type") == "replaced-by")
        names = [link.get("other", {}).get("display") for link in links]
        return _("Merged into %(name)s") % {"name": names[0] or f"Patient/{patient.merged_into}"}
    return "" if patient.active else _("Inactive record")


def with_note(patient: Patient) -> str:
    """Return the patient's name, with the reason in brackets if nothing can be booked for them."""
    note = record_note(patient)
    return _("%(name)s (%(note)s)") % {"name": patient, "note": note} if note else str(patient)


def needs_of(patient: Patient | None) -> list[str]:
    """Return the patient's needs in words: the interpreter first, what they wrote themselves last."""
    if patient is None:
        return []
    words = [_interpreter(patient.interpreter_language)] if patient.interpreter_required else []
    words += [str(need.label) for need in AccessNeed if need in patient.needs]
    return [*words, patient.other_needs] if patient.other_needs else words


def _interpreter(language: str) -> str:
    if not language:
        return _("Interpreter")
    return _("Interpreter: %(language)s") % {"language": language_name(language)}


def language_name(tag: str) -> str:
    """Return the name of a language that an interpreter can have."""
    return _("sign language") if tag == SIGN_LANGUAGES else formats.language_name(tag)
