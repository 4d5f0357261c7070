"""Search by participant, among the participants that the caller may see."""

import re
from collections.abc import Collection

from api.search.kinds import Parameter
from api.search.places import quoted
from scheduling import access
from scheduling.access import Caller

WHOSE, WHO = "Appointment", "participant"


def redacted(parameter: Parameter, kind: str, caller: Caller) -> Parameter:
    """Return the parameter, limited to what the caller may see."""
    people = access.visible_people(caller) if kind == WHOSE else None
    return parameter if people is None else parameter.among(WHO, _one_of(people))


def _one_of(people: Collection[str]) -> str:
    """Return a jsonpath test for participants that are not patients or carers, or are among these."""
    kinds = "|".join(access.IDENTIFYING_TYPES)
    typed = " || ".join(f"@.actor.type == {quoted(kind)}" for kind in access.IDENTIFYING_TYPES)
    others = f"!(@.actor.reference like_regex {quoted(f'(^|/)({kinds})/')} || {typed})"
    names = "|".join(map(re.escape, sorted(people)))
    pattern = quoted(f"(^|/)({names})(/_history/[^/]+)?$")
    return f"{others} || @.actor.reference like_regex {pattern}" if people else others
