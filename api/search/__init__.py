"""Searches and their parameters: https://hl7.org/fhir/R4/search.html"""

from api.search.answers import answer
from api.search.conditions import condition
from api.search.includes import known_includes, known_revincludes
from api.search.kinds import Parameter
from api.search.parameters import expression, parameters_of, shared_parameters
from api.search.references import Reference
from api.search.rows import rows_of
from api.search.search import PASSED_OVER, Search, read
from api.search.system import read_all

__all__ = [
    "PASSED_OVER",
    "Parameter",
    "Reference",
    "Search",
    "answer",
    "condition",
    "expression",
    "known_includes",
    "known_revincludes",
    "parameters_of",
    "read",
    "read_all",
    "rows_of",
    "shared_parameters",
]
