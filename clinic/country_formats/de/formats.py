"""Django's formats in German."""

from clinic.country_formats import in_language

__getattr__ = in_language("de")
