"""Searches, their parameters and what goes with what they find: https://hl7.org/fhir/R4/search.html"""

from scheduling.api.search.includes import known as known_includes
from scheduling.api.search.parameters import parameters_of
from scheduling.api.search.searching import answer, read

__all__ = ["answer", "known_includes", "parameters_of", "read"]
