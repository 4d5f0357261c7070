"""Errors of well-formed patches."""

from scheduling.errors import RuleBroken


class NotApplied(RuleBroken):
    """Error: a well-formed patch does not fit the resource."""

    code = "processing"
