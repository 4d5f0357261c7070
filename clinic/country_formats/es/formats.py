"""Django's formats in Spanish."""

from clinic.country_formats import in_language

__getattr__ = in_language("es")
