"""Searches, their parameters and what goes with what they find: https://hl7.org/fhir/R4/search.html"""

from scheduling.api.search.answers import answer
from scheduling.api.search.conditions import condition
from scheduling.api.search.includes import known_includes, known_revincludes
from scheduling.api.search.kinds import Parameter
from scheduling.api.search.parameters import parameters_of, shared_parameters
from scheduling.api.search.references import Reference
from scheduling.api.search.rows import rows_of
from scheduling.api.search.searching import PASSED_OVER, Search, read
from scheduling.api.search.system import read_all

__all__ = [
    "PASSED_OVER",
    "Parameter",
    "Reference",
    "Search",
    "answer",
    "condition",
    "known_includes",
    "known_revincludes",
    "parameters_of",
    "read",
    "read_all",
    "rows_of",
    "shared_parameters",
]
