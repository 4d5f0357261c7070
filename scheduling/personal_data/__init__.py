"""Everything that the clinic keeps about one person: a copy of it, and its deletion."""

from scheduling.personal_data.erasure import Erasable, erase, preview
from scheduling.personal_data.export import export
from scheduling.personal_data.requests import (
    Report,
    ask_erasure,
    decline_erasure,
    latest_request,
    report_of,
    reports,
    waiting_requests,
    withdraw_erasure,
)
from scheduling.personal_data.tables import DELETED, KEPT, Table

__all__ = [
    "DELETED",
    "KEPT",
    "Erasable",
    "Report",
    "Table",
    "ask_erasure",
    "decline_erasure",
    "erase",
    "export",
    "latest_request",
    "preview",
    "report_of",
    "reports",
    "waiting_requests",
    "withdraw_erasure",
]
