"""Django's formats in English."""

from clinic.country_formats import in_language

__getattr__ = in_language("en")
