"""Telephone numbers: read in any writing, kept as E.164 with the extension, shown as in the clinic's country.

A number of our own pages is kept as `+12125550100;ext=12` (https://www.rfc-editor.org/rfc/rfc3966#section-5.3). One
that software sent stays as it was sent, and is read here whenever it is dialled, searched or compared.
"""

import re
import unicodedata
from collections.abc import Iterator

import phonenumbers
from django.conf import settings
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from clinic.country import clinic_country

LEAST_DIGITS = 4  # of a part of a number, from which on it says something
INTERNATIONAL = ("00", "011")  # dialled before a country's code, here or elsewhere
AMERICAN = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")  # area code and exchange begin with neither 0 nor 1
ANY = re.compile(r"[0-9]+")
LENGTHS = {
    ValidationResult.TOO_SHORT: "short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "short",
    ValidationResult.TOO_LONG: "long",
}


class NotANumber(ValueError):
    """A text that is no telephone number. `reason` is `short`, `long` or `invalid`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(text: str, country: str = "") -> str:
    """Return a number that somebody typed as it is kept. Raises NotANumber for one that nobody can have."""
    number = _parsed(text, country or clinic_country())
    if number is None:
        raise NotANumber("invalid")
    if not _is_plausible(number):
        raise NotANumber(LENGTHS.get(phonenumbers.is_possible_number_with_reason(number), "invalid"))
    return _kept(number)


def dialled(text: str, country: str = "") -> str:
    """Return `+12125550100`, without the extension; empty for what is no number."""
    number = _parsed(text, country or clinic_country())
    if number is None or not _is_plausible(number):
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def text_to(text: str) -> str:
    """Return the number as a text message's service wants it. SMS_COUNTRY_CODE says which country's it is, if set."""
    return dialled(text, _country_of_texts()) or text


def shown(text: str, country: str = "") -> str:
    """Return a number as people of the clinic's country write it, and what cannot be read as it is."""
    home = country or clinic_country()
    number = _parsed(text, home)
    if number is None or not _is_plausible(number):
        return text
    code = number.country_code or 0
    country_of_number = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    is_home = country_of_number == home
    return phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if is_home else PhoneNumberFormat.INTERNATIONAL
    )


def link(text: str) -> str:
    """Return the address that dials a number: `tel:+12125550100`, `;ext=12` behind it where it has an extension."""
    number = _parsed(text, clinic_country())
    if number is None or not _is_plausible(number):
        return "tel:" + "".join(each for each in text if each.isdigit() or each == "+")
    return f"tel:{_kept(number)}"


def endings(text: str) -> Iterator[str]:
    """Yield the ends of a number from LEAST_DIGITS digits on, so that any part of it is found by its beginning."""
    number = _parsed(text, clinic_country())
    if number is None or not _is_plausible(number):
        digits = "".join(filter(str.isdigit, clean(text)))
    else:
        digits = phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    for first in range(max(len(digits) - LEAST_DIGITS + 1, 0)):
        yield digits[first:]


def example(country: str = "") -> str:
    """Return a number as it can be typed in the clinic's country, such as (212) 555-0123."""
    home = country or clinic_country()
    number = phonenumbers.example_number(home)
    return (
        "+1 212 555 0123"
        if number is None or home == "US"
        else phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    )


def clean(text: str) -> str:
    """Return a text without the marks that come along when a number is copied: they cannot be seen."""
    plain = unicodedata.normalize("NFKC", text)
    kinds = ((each, unicodedata.category(each)) for each in plain)
    return " ".join("".join("-" if kind == "Pd" else each for each, kind in kinds if kind != "Cf").split())


def _parsed(text: str, country: str) -> PhoneNumber | None:
    """Return the first reading that is somebody's number, else the one by the country's own rules."""
    first = None
    for writing in _writings(clean(text)):
        try:
            number = phonenumbers.parse(writing, country)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return number
        first = first or number
    return first


def _writings(text: str) -> Iterator[str]:
    """Yield the text, and what it would be if its first digits were those before a country's code, or that code."""
    yield text
    for prefix in INTERNATIONAL:
        if text.startswith(prefix):
            yield f"+{text.removeprefix(prefix)}"
    if sum(map(str.isdigit, text)) > 10 and text[:1] not in "+0":
        yield f"+{text}"


def _is_plausible(number: PhoneNumber) -> bool:
    """True if a number has the length of its country's; ranges that are new are not in the library's tables yet."""
    pattern = AMERICAN if number.country_code == 1 else ANY
    is_whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return is_whole and pattern.fullmatch(str(number.national_number)) is not None


def _kept(number: PhoneNumber) -> str:
    whole = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{whole};ext={number.extension}" if number.extension else whole


def _country_of_texts() -> str:
    """Return the country of SMS_COUNTRY_CODE: the clinic's own, if that has this code."""
    digits = settings.SMS_COUNTRY_CODE.removeprefix("+")
    home = clinic_country()
    if not digits or str(phonenumbers.country_code_for_region(home)) == digits:
        return home
    return phonenumbers.region_code_for_country_code(int(digits))
