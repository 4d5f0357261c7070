"""Saving of questionnaires, as managers write them on the pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clinic.models import Questionnaire
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.interactions.audit import record_writes
from scheduling.setup.writes import write_row


def save_questionnaire(
    questionnaire: Questionnaire, values: Mapping[str, Any], *, version: int, caller: Caller, now: datetime
) -> Questionnaire:
    """Save a new or changed questionnaire. Raises VersionConflict if it has another version by now."""
    access.may_set_up(caller)
    with booking.all_or_nothing():
        questionnaire, written = write_row(questionnaire, values, version=version, now=now)
        record_writes([written], caller=caller, now=now)
    return questionnaire
