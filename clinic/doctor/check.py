"""A check of an installation and its findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

Findings = Iterator[str]


@dataclass(frozen=True)
class Check:
    """A check, and the sentences that say what is amiss; none if all is well.

    A long one reads whole tables, so that only the command runs it. The name is in English.
    """

    name: str
    find: Callable[[datetime], Findings]
    is_long: bool = False

    def findings(self, now: datetime) -> list[str]:
        """Return what is amiss. A check that fails itself is one finding, so that the others go on."""
        try:
            return list(self.find(now))
        except Exception as error:
            return [_("This could not be checked: %(error)s") % {"error": f"{type(error).__name__}: {error}".strip()}]
